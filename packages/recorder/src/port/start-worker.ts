/**
 * Starts a worker thread from source or from the build, whichever the starting file is.
 *
 * The extension of the asking module decides: `.ts` runs from source and needs the export condition
 * `sworn-source`, `.js` is the build. Worker threads inherit neither flags nor loaders here.
 * @module
 */
import { Worker } from 'node:worker_threads'

/**
 * @param from `import.meta.url` of the caller
 * @param name path of the worker's module relative to `from`, without extension
 */
export function startWorker(from: string, name: string, workerData: unknown): Worker {
  const source = from.endsWith('.ts')
  const execArgv = source ? ['--conditions=sworn-source', '--disable-warning=ExperimentalWarning'] : []
  return new Worker(new URL(`${name}${source ? '.ts' : '.js'}`, from), { workerData, execArgv })
}
