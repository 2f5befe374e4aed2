/**
 * What an adapter knows that it cannot see is an `observation_gap`, once for each: from then on the ledger says so.
 * @module
 */
import type { InstrumentRecorder } from './adapter.ts'

interface Gap {
  /** Word of the vocabulary, as `model_call_unseen`. */
  readonly reason: string
  readonly [detail: string]: string
}

export type TellGap = (gap: Gap) => void

/** @param most gaps that are told; what comes behind them is not remembered either */
export function createGaps(recorder: InstrumentRecorder, name: string, most: number): TellGap {
  const told = new Set<string>()
  const source = { kind: 'instrumentation', name, vantage: 'observed' }
  return (gap) => {
    const key = JSON.stringify(gap)
    if (told.has(key) || told.size >= most) return
    told.add(key)
    recorder.record({ event_type: 'observation_gap', source, metadata: gap }).catch(() => undefined) // nobody is here to be told
  }
}
