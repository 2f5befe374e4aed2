/**
 * Ships items and parks what was refused for good; what was parked before is sent again through the same door.
 *
 * Resolves only when every item is safe: accepted, or on disk among the dead letters. Where those are full it waits.
 * @module
 */
import { type DeadLetter, dropTaken, formatLetters, isFull, park, readLetters, takeLetters } from './dead-letters.ts'
import { parseEntryLine } from './numbered.ts'
import type { SinkPlaces } from './places.ts'
import type { Shape } from './shape.ts'
import { type ShipOptions, type Shipped, ship } from './ship.ts'
import type { Item } from './sink.ts'

export interface ParkingOptions extends ShipOptions {
  readonly places: SinkPlaces
  readonly maxDeadBytes: number
}

/** Undefined when it was stopped first. @throws SwornError IO_FAILED */
export async function shipOrPark(items: readonly Item[], options: ParkingOptions): Promise<Shipped | undefined> {
  const shipped = await ship(items, options)
  if (!shipped || shipped.refused.length === 0) return shipped
  const at = new Date(options.clock.now()).toISOString()
  const letters = shipped.refused.map(({ item, reason }): DeadLetter => ({ seq: item.seq, reason, at, line: item.line }))
  return (await parkWhenThereIsRoom(letters, options)) ? shipped : undefined
}

async function parkWhenThereIsRoom(letters: readonly DeadLetter[], options: ParkingOptions): Promise<boolean> {
  const { places, maxDeadBytes, backoff, signal } = options
  const bytes = Buffer.byteLength(formatLetters(letters))
  for (let tries = 1; isFull(places.dead, bytes, maxDeadBytes); tries++) {
    options.onTrouble('the dead letters are full; `sworn sinks replay` sends them again', tries, backoff.maxMs)
    await options.clock.wait(backoff.maxMs, signal)
    if (signal.aborted) return false
  }
  await park(places.dead, letters)
  return true
}

/**
 * Sends what is parked again; what is refused again is parked again.
 * @returns how many were sent and how many are parked again; undefined when it was stopped first: the next replay goes on
 * @throws SwornError IO_FAILED
 */
export async function replayLetters(shape: Shape, options: ParkingOptions): Promise<{ sent: number; parked: number } | undefined> {
  const taken = takeLetters(options.places.dead)
  if (taken === undefined) return { sent: 0, parked: 0 }
  const counts = { sent: 0, parked: 0 }
  for (const letter of readLetters(taken)) {
    const bytes = Buffer.from(letter.line)
    const item = await shape({ ...parseEntryLine(bytes, taken), bytes })
    if (!item) continue // the filter leaves it out by now
    const shipped = await shipOrPark([item], options)
    if (!shipped) return undefined
    if (shipped.refused.length > 0) counts.parked++
    else counts.sent++
  }
  dropTaken(taken)
  return counts
}
