/** Who decides about what adapters see, and the guard that asks them. @module */
import { type AskFn, createGuard, type Gate, type Guard, type Prices } from '@sworn/recorder'
import type { InstrumentRecorder } from './adapter.ts'
import { type AdapterGuard, screenAnswer, screened, seenIn } from './screening.ts'

/** Who decides, and what models cost; without a gate everything is allowed and recorded. */
export interface Deciding {
  readonly gate?: Gate
  /** Puts an `ask` of the gate to people; without it that is a denial. */
  readonly ask?: AskFn
  /** Without them only a cost that a framework reports is recorded. */
  readonly prices?: Prices
}

/**
 * The guard of one adapter. Recorded as `source.name`.
 *
 * @param rewrites the adapter runs a tool with the input of the verdict
 */
export function guardOf(recorder: InstrumentRecorder, name: string, { gate, ask, prices }: Deciding, rewrites = false): AdapterGuard {
  const guard = createGuard({
    recorder,
    source: { kind: 'instrumentation', name, vantage: 'inline' },
    get onAuditFailure() {
      return recorder.onAuditFailure // a reload may change it
    },
    ...(gate && { gate: screened(gate, rewrites) }),
    ...(ask && { ask }),
    ...(prices && { prices }),
  })
  if (!gate) return { ...guard, screen: (value) => ({ value, matches: [], blocked: false }) }
  return {
    ...guard,
    end: (ref, outcome, matches = seenIn(gate, outcome)) => guard.end(ref, outcome, matches),
    screen: (output) => screenAnswer(gate, output),
  }
}

/** The `source.name` under which an adapter records what others ask of this process. */
export const receivedBy = (name: string): string => `${name}-received`

/** The guard of what is seen and cannot be stopped. */
export function observerOf(recorder: InstrumentRecorder, name: string, { gate }: Deciding): Guard {
  const guard = createGuard({ recorder, source: { kind: 'instrumentation', name, vantage: 'observed' }, onAuditFailure: 'continue' })
  return gate ? { ...guard, end: (ref, outcome) => guard.end(ref, outcome, seenIn(gate, outcome)) } : guard
}
