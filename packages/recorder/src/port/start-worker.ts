/**
 * Starts a worker thread from source or from the build, whichever the starting file is.
 *
 * The extension of the asking module decides: `.ts` runs from source and needs the export condition
 * `sworn-source`, `.js` is the build. Worker threads inherit neither flags nor loaders here.
 * @module
 */
import { type ResourceLimits, Worker } from 'node:worker_threads'

/** Under load V8 lets the young generation grow to 192 MB; what a thread of ours makes is short-lived at any size. */
const SMALL: ResourceLimits = { maxYoungGenerationSizeMb: 8 }

/**
 * @param from `import.meta.url` of the caller
 * @param name path of the worker's module relative to `from`, without extension
 * @param limits of its heap
 */
export function startWorker(from: string, name: string, workerData: unknown, limits: ResourceLimits = SMALL): Worker {
  const source = from.endsWith('.ts')
  const execArgv = source ? ['--conditions=sworn-source', '--disable-warning=ExperimentalWarning'] : []
  const { NODE_OPTIONS: _flags, ...env } = process.env // its flags would be inherited after all
  return new Worker(new URL(`${name}${source ? '.ts' : '.js'}`, from), {
    workerData,
    execArgv,
    env,
    resourceLimits: limits,
  })
}
