/**
 * A limit on how long another process may take.
 *
 * When it is over, the event loop looks once more: what came while this process itself did not run came in time.
 * @module
 */

/** Runs `passed` after `ms` unless it is stopped; keeps no process alive. @returns stops it */
export function startLimit(ms: number, passed: () => void): () => void {
  let last: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    last = setImmediate(passed)
  }, ms).unref()
  return () => {
    clearTimeout(timer)
    clearImmediate(last)
  }
}
