/** One call that is judged, run and ended here, with the framework's own way to refuse it. @module */
import type { Action, Outcome, Verdict } from '@sworn/recorder'
import type { Tools } from '../adapter.ts'
import { describeError } from '../models/stream.ts'

export interface Ways {
  /** With what was judged, or what the verdict put in its place. */
  run(input: unknown): unknown
  refuse(verdict: Verdict): unknown
  /** Never throws. */
  describe(result: unknown): Outcome
}

/** What the call returns or throws passes unchanged, and nobody waits for the record of its end. */
export async function judgedCall({ guard, recorder }: Pick<Tools, 'guard' | 'recorder'>, action: Action, ways: Ways): Promise<unknown> {
  const { verdict, ref } = await guard.begin(action)
  if (verdict.decision !== 'allow') return ways.refuse(verdict)
  const startMs = performance.now()
  const end = (outcome: Outcome) => void guard.end(ref, { ...outcome, durationMs: performance.now() - startMs })
  try {
    const input = 'input' in verdict ? verdict.input : action.input
    const result = await recorder.withContext({ correlation_id: ref }, () => ways.run(input))
    end(ways.describe(result))
    return result
  } catch (error) {
    end(describeError(error))
    throw error
  }
}
