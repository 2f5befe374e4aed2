/**
 * Footers for the files that Node loads from now on, by `import` and by `require`, in every `node_modules` that there is.
 *
 * Synchronous hooks of the thread that installs them; nothing is parsed, and a file that no adapter knows passes as it is.
 * @module
 */
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Target } from '../adapter.ts'
import { createFooters } from './copies.ts'
import { ARRIVALS } from './footer.ts'

/** The oldest minor and patch of a major whose hooks also see what is required; majors after these all do. */
const WHOLE: Readonly<Record<number, readonly [minor: number, patch: number]>> = { 22: [22, 3], 24: [13, 0], 25: [1, 0] }

/** Whether hooks of this Node see every file. Source: spec capture §6. */
export function hasLoadHooks(version: string = process.versions.node): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const [needed, neededPatch] = WHOLE[major] ?? [major > 25 ? 0 : Number.POSITIVE_INFINITY, 0]
  return minor > needed || (minor === needed && patch >= neededPatch)
}

/** Returns what takes the hooks away again; what was loaded meanwhile stays as it is. */
export function addFooters(targets: readonly Target[]): () => void {
  const footerFor = createFooters(targets)
  const hooks = registerHooks({
    load(url, context, next) {
      const loaded = next(url, context)
      if (!url.startsWith('file:') || !url.includes('/node_modules/') || !loaded.source) return loaded
      const path = fileURLToPath(url)
      const footer = footerFor(path, { format: loaded.format === 'module' ? 'esm' : 'cjs', named: path })
      if (footer === undefined) return loaded
      const source = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString('utf8') // text, as its format says
      return source.includes(ARRIVALS) ? loaded : { ...loaded, source: source + footer }
    },
  })
  return () => hooks.deregister()
}
