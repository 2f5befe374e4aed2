/**
 * One batch to one sink, until each of its items was accepted or refused for good.
 *
 * Owns retries: full jitter, waits that the sink asks for, a time limit for each try, halves of a batch that was
 * refused whole. Ends early only when it is stopped; then nothing of the batch counts as delivered.
 * @module
 */

import type { JsonValue } from '@sworn/verify'
import { type Backoff, type Clock, delayOf } from './clock.ts'
import { allAgain, type Item, type Outcome, type Sink } from './sink.ts'

export interface ShipOptions {
  readonly sink: Sink
  readonly clock: Clock
  readonly backoff: Backoff
  /** How long one try may take. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Told after each try that left something. `tries` counts those without progress. */
  readonly onTrouble: (reason: string, tries: number, delayMs: number) => void
  /** Told when a try went well. */
  readonly onProgress: () => void
}

export interface Shipped {
  readonly refused: readonly { readonly item: Item; readonly reason: string }[]
  readonly id?: string | undefined
  readonly mark?: JsonValue | undefined
}

/** Undefined when it was stopped first. */
export async function ship(items: readonly Item[], options: ShipOptions): Promise<Shipped | undefined> {
  const refused: { item: Item; reason: string }[] = []
  const open: (readonly Item[])[] = items.length > 0 ? [items] : []
  let last: Outcome = {}
  let tries = 0
  while (open.length > 0) {
    const group = open.shift()!
    const outcome = await tryOnce(group, options)
    if (options.signal.aborted) return undefined
    last = { ...last, ...(outcome.id !== undefined && { id: outcome.id }), ...(outcome.mark !== undefined && { mark: outcome.mark }) }
    for (const { index, reason } of outcome.refused ?? []) refused.push({ item: group[index]!, reason })
    if (outcome.whole !== undefined) {
      const half = group.length >> 1
      if (half === 0) refused.push({ item: group[0]!, reason: outcome.whole })
      else open.unshift(group.slice(0, half), group.slice(half))
    }
    const again = outcome.again?.indexes.map((index) => group[index]!) ?? []
    tries = again.length === group.length ? tries + 1 : 0
    if (again.length === 0) {
      options.onProgress()
      continue
    }
    open.unshift(again)
    const delayMs = delayOf(tries, options.backoff, options.clock.random(), outcome.again?.afterMs)
    options.onTrouble(outcome.again?.reason ?? '', tries, delayMs)
    await options.clock.wait(delayMs, options.signal)
    if (options.signal.aborted) return undefined
  }
  return { refused, id: last.id, mark: last.mark }
}

/** Waits no longer than the limit, whether or not the sink keeps to its signal. */
async function tryOnce(group: readonly Item[], { sink, clock, timeoutMs, signal }: ShipOptions): Promise<Outcome> {
  const done = new AbortController()
  const limit = new AbortController()
  const late = clock.wait(timeoutMs, AbortSignal.any([done.signal, signal])).then(() => {
    limit.abort()
    return allAgain(group, `no answer within ${timeoutMs} ms`)
  })
  const sent = sink.send(group, AbortSignal.any([limit.signal, signal])).catch((e) => allAgain(group, reasonOf(e)))
  const outcome = await Promise.race([sent, late])
  done.abort()
  return outcome
}

/** The code of an error, or of what caused it, or its class; its text could hold an address or a value. */
export function reasonOf(e: unknown): string {
  if (e instanceof AggregateError && e.errors.length > 0) return reasonOf(e.errors[0])
  if (!(e instanceof Error)) return 'it failed'
  if ('code' in e && e.code !== undefined) return String(e.code)
  if (e.cause instanceof Error) return reasonOf(e.cause)
  return /^[A-Z]\w{0,39}$/.test(e.name) && e.name !== 'Error' ? e.name : 'it failed'
}
