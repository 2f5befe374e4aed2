/** One call that is judged, run and ended here, with the framework's own way to refuse it. @module */
import type { Action, Outcome, Verdict } from '@sworn/recorder'
import type { Tools } from '../adapter.ts'
import { uncovered } from '../covered.ts'
import { describeError } from '../models/stream.ts'
import { BLOCKED_ANSWER, WITHHELD } from '../screening.ts'

export interface Ways {
  /** With what was judged, or what the verdict put in its place. */
  run(input: unknown): unknown
  /** Also when the call was made, and its answer is withheld. */
  refuse(verdict: Verdict): unknown
  /** Never throws. */
  describe(result: unknown): Outcome
  /** `result` with `output` in the place of the one that `describe` found; absent: results pass as they are. */
  answer?(output: unknown, result: unknown): unknown
}

/** What the call throws passes unchanged, and what it returns but where a policy masks it. Nobody waits for the record of its end. */
export async function judgedCall({ guard, recorder }: Pick<Tools, 'guard' | 'recorder'>, action: Action, ways: Ways): Promise<unknown> {
  const { verdict, ref } = await guard.begin(action)
  if (verdict.decision !== 'allow') return ways.refuse(verdict)
  const startMs = performance.now()
  const took = () => ({ durationMs: performance.now() - startMs })
  let result: unknown
  try {
    const input = 'input' in verdict ? verdict.input : action.input
    const run = () => ways.run(input)
    result = await recorder.withContext({ correlation_id: ref }, action.kind === 'model' ? run : () => uncovered(run))
  } catch (error) {
    void guard.end(ref, { ...describeError(error), ...took() })
    throw error
  }
  const outcome = { ...ways.describe(result), ...took() }
  const screened = ways.answer && guard.screen(outcome.output)
  void guard.end(ref, screened?.blocked ? { ...outcome, ...BLOCKED_ANSWER } : outcome, screened?.matches)
  if (screened?.blocked) return ways.refuse(WITHHELD)
  return screened && screened.value !== outcome.output ? ways.answer?.(screened.value, result) : result
}
