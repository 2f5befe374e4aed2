/**
 * The sink contract. A sink takes entries to one place; where they come from and what happened before, it does not know.
 *
 * Every sink passes testkit's `sinkContract`. Promises, in the order they matter:
 *  1. What `send` does not name in its outcome was accepted: it is safe at the other side, as far as that side says.
 *  2. A batch may come again after a crash or a lost answer; each item carries its key, and a sink that can, drops it.
 *  3. `send` keeps the order of a session's items, and never waits longer than its signal allows.
 *  4. No outcome and no error holds a value of an event, a credential or an address with one.
 * @module
 */
import type { Event } from '@sworn/dialects'
import type { JsonValue } from '@sworn/verify'
import { typeIn } from './numbered.ts'

/** One entry, as this sink may see it. */
export interface Item {
  readonly seq: number
  /** `origin/seq`: the same entry has the same key for ever. */
  readonly key: string
  /** 64 lowercase hex characters. */
  readonly entryHash: string
  /** The members, redacted for this sink. */
  readonly event: Event
  /** What is sent, in the sink's dialect; lines joined by LF, without one at the end. */
  readonly body: string
  /** The UTF-8 of `body`, where that is the entry as it stands: the text need not be made. */
  readonly bytes?: Buffer | undefined
  /** The entry as it stands in the ledger, for what is parked. */
  readonly line: string
}

export interface Refusal {
  /** Place in the batch. */
  readonly index: number
  /** What the other side said, in its own code and at most a few words of ours. */
  readonly reason: string
}

/** What became of a batch; places that are in no list were accepted. */
export interface Outcome {
  /** Never accepted, however often it is sent: parked. */
  readonly refused?: readonly Refusal[]
  /** Not accepted now: sent again before anything that follows. */
  readonly again?: { readonly indexes: readonly number[]; readonly reason: string; readonly afterMs?: number | undefined }
  /** Refused as a whole, without saying which item: sent again in halves, until what is refused stands alone. */
  readonly whole?: string
  /** The other side's own name for what it accepted. */
  readonly id?: string | undefined
  /** Kept with the cursor and handed to `open` at the next start; on disk before the next batch is sent. */
  readonly mark?: JsonValue
}

/** What a probe showed, or what is wrong, in a few words: no value, no credential, no address with one. */
export type Probed = { readonly shown: string } | { readonly wrong: string }

export interface Sink {
  /** How much one `send` takes, at most. */
  readonly limits: { readonly items: number; readonly bytes: number }
  /** Never rejects for what the other side answers; a rejection counts as `again` for the whole batch. */
  send(items: readonly Item[], signal: AbortSignal): Promise<Outcome>
  /**
   * Whether entries would be taken now, with these credentials, beside another process that delivers. What it writes
   * can be told from an entry, is read back where the place can be read, and is taken away again where it can; nobody
   * is woken by it. Keeps to its signal. A rejection counts as `wrong` with its code.
   */
  probe(signal: AbortSignal): Promise<Probed>
  close(): Promise<void>
}

/** Opens a sink; no connection is needed yet. @throws SwornError CONFIG_INVALID, DRIVER_MISSING, IO_FAILED */
export type OpenSink = (mark: JsonValue | undefined) => Promise<Sink>

export function bytesOf(item: Item): Buffer {
  return item.bytes ?? Buffer.from(item.body) // taken apart in the parameter, the text would be made for nothing
}

/** Its `event_type`; where the entry goes as it stands, without parsing it. */
export function typeOf(item: Item): string {
  return (item.bytes && typeIn(item.bytes)) ?? item.event.event_type
}

/** How much of a batch it is. */
export function sizeOfItem(item: Item): number {
  return item.bytes?.length ?? Buffer.byteLength(item.body)
}

/** All of `items` again. */
export function allAgain(items: readonly Item[], reason: string, afterMs?: number): Outcome {
  return { again: { indexes: items.map((_, index) => index), reason, afterMs } }
}
