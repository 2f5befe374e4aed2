/**
 * How much a test does. `SWORN_TESTS` unset is the fast suite; `ci` runs what that leaves out, slow properties at a
 * fraction of their counts; `full` runs all of it.
 * @module
 */
const mode = process.env.SWORN_TESTS

/** For `skip`: why the fast suite leaves a test out, false elsewhere. */
export const later: string | false = mode === undefined ? 'runs with SWORN_TESTS=ci' : false

/** The count for this run; `full` is that of `ci` where it is not given. */
export function count({ fast, ci, full = ci }: { readonly fast: number; readonly ci: number; readonly full?: number }): number {
  return mode === undefined ? fast : mode === 'full' ? full : ci
}
