/**
 * One request an event: sessions side by side, the events of one session behind each other.
 * @module
 */
import { asText } from '@sworn/verify'
import type { Item, Outcome, Refusal } from '../sink.ts'

/** Sends each item by itself; within a session, what follows a failure waits for it. */
export async function sendLanes(items: readonly Item[], parallel: number, send: (item: Item) => Promise<Outcome>): Promise<Outcome> {
  const lanes = Map.groupBy(items.keys(), (index) => asText(items[index]!.event.session_id ?? `#${index}`))
  const open = [...lanes.values()]
  const refused: Refusal[] = []
  const again: number[] = []
  let failed: Outcome['again']
  const work = async (): Promise<void> => {
    for (let lane = open.shift(); lane; lane = open.shift()) {
      for (const [at, index] of lane.entries()) {
        const outcome = await send(items[index]!)
        if (outcome.whole !== undefined) refused.push({ index, reason: outcome.whole })
        if (!outcome.again) continue
        failed = longer(failed, outcome.again)
        again.push(...lane.slice(at))
        break
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return { refused, ...(failed && { again: { ...failed, indexes: again.toSorted((a, b) => a - b) } }) }
}

function longer(a: Outcome['again'], b: NonNullable<Outcome['again']>): NonNullable<Outcome['again']> {
  return a && (a.afterMs ?? 0) > (b.afterMs ?? 0) ? a : b
}
