/**
 * Copies of SDKs that said that they are there: those that came before anybody listened, and those that come later.
 *
 * The list is the process's, whichever copy of this package asks. What it holds is hostile: anybody can push to it.
 * @module
 */
import type { Found } from '../adapter.ts'
import { memberOf, textAt } from '../members.ts'
import { ARRIVALS } from './footer.ts'

const KEY = Symbol.for(ARRIVALS)
const LISTENERS = Symbol.for('sworn.instrument.listeners')
/** A process has a handful of copies; what comes after these is not kept for who listens later. */
const MAX_KEPT = 1000

type Take = (found: Found) => void

interface Arrivals extends Array<unknown> {
  [LISTENERS]?: Set<Take>
}

/** Gives `take` every copy, at once and as it comes, until the answer is called. `take` must not throw. */
export function onArrival(take: Take): () => void {
  const shared = globalThis as { [KEY]?: Arrivals } // made here or by the first footer
  const arrivals = (shared[KEY] ??= [])
  const listeners = (arrivals[LISTENERS] ??= listening(arrivals))
  for (const found of [...arrivals]) if (isFound(found)) take(found)
  listeners.add(take)
  return () => void listeners.delete(take)
}

function listening(arrivals: Arrivals): Set<Take> {
  const listeners = new Set<Take>()
  arrivals.push = (...copies) => {
    for (const found of copies) {
      if (arrivals.length < MAX_KEPT) arrivals[arrivals.length] = found
      if (isFound(found)) for (const take of listeners) take(found)
    }
    return arrivals.length
  }
  return listeners
}

/** With at least one name that the file has. */
function isFound(value: unknown): value is Found {
  const module = memberOf(value, 'module')
  if (textAt(value, 'pkg') === undefined || textAt(value, 'path') === undefined) return false
  return typeof module === 'object' && module !== null && Object.keys(module).some((name) => memberOf(module, name) !== undefined)
}
