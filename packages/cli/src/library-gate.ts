/**
 * The gate that decides for a recorder that `openRecorder` returned, whichever is in force at each call, the people whom
 * its configuration lets it ask, and its prices.
 * @module
 */
import type { AskFn, Gate, Prices, Recorder } from '@sworn/recorder'

const gates = new WeakMap<object, Gate>()
const prices = new WeakMap<object, Prices>()

export function keepPrices(recorder: Recorder, configured: Prices): void {
  prices.set(recorder, configured)
}

/** Undefined where none are configured. */
export function pricesOf(recorder: object): Prices | undefined {
  return prices.get(recorder)
}

const asks = new WeakMap<object, AskFn>()

export function keepAsk(recorder: Recorder, ask: AskFn): void {
  asks.set(recorder, ask)
}

/** Undefined for a recorder that was made otherwise. */
export function askOf(recorder: object): AskFn | undefined {
  return asks.get(recorder)
}

/** @param inForce the gate of now; a reload changes it */
export function keepGate(recorder: Recorder, inForce: () => Gate): void {
  gates.set(recorder, {
    get policy() {
      return inForce().policy
    },
    judgeMethod: (method) => inForce().judgeMethod(method),
    judge: (action) => inForce().judge(action),
    inspect: (value, direction) => inForce().inspect(value, direction),
    charge: (ids, usage) => inForce().charge?.(ids, usage) ?? [],
    meters: (ids) => inForce().meters?.(ids) ?? [],
  })
}

/** Undefined for a recorder that was made otherwise: then nobody decides. */
export function gateOf(recorder: object): Gate | undefined {
  return gates.get(recorder)
}
