/** Calls of which a framework tells start and end apart, by a key of its own. @module */
import type { Guard, Outcome } from '@sworn/recorder'

export interface OpenCalls {
  add(key: string, ref: string): void
  /** The first end counts; unknown keys are nothing of ours. */
  end(key: string, outcome: Outcome): void
}

const MAX_OPEN = 10_000

export function createOpenCalls(guard: Guard): OpenCalls {
  const calls = new Map<string, { readonly ref: string; readonly startMs: number }>()
  function end(key: string, outcome: Outcome): void {
    const call = calls.get(key)
    if (!call) return
    calls.delete(key)
    void guard.end(call.ref, { ...outcome, durationMs: performance.now() - call.startMs })
  }
  return {
    add(key, ref) {
      const [oldest = key] = calls.keys()
      end(calls.size < MAX_OPEN ? key : oldest, { status: 'unknown', errorType: 'outcome_unknown' })
      calls.set(key, { ref, startMs: performance.now() })
    },
    end,
  }
}
