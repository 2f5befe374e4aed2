/**
 * Events of one session, kept for a client that lost its connection and comes back for the rest.
 *
 * An id names a stream and a place in it. At most 1 MiB is kept, the oldest goes first; whoever asks for what is gone is
 * told so: nothing is left out without a word. Source: MCP 2025-11-25 "Resumability and Redelivery".
 * @module
 */
import { formatEvent } from './sse.ts'

const MAX_BYTES = 1024 * 1024

export interface KeptEvents {
  /** A new stream. */
  open(): string
  /** The next event of a stream, as it is written; without data it only says where the stream stands. */
  add(stream: string, data: Buffer | undefined): Buffer
  /** The id of the newest event of a stream. */
  newest(stream: string): string
  /** Nothing more will be added to the stream. */
  end(stream: string): void
  /** The stream of an event and what came after it; undefined: no such event, or some of that is gone. */
  after(id: string): { readonly stream: string; readonly events: readonly Buffer[] } | undefined
}

interface Stream {
  /** Place of the newest event; 0: there is none yet. */
  last: number
  /** Place of the newest event that is gone. */
  gone: number
  isOver: boolean
}

export function createKeptEvents(maxBytes = MAX_BYTES): KeptEvents {
  const streams = new Map<string, Stream>()
  let kept: { readonly stream: string; readonly place: number; readonly bytes: Buffer }[] = []
  let bytes = 0
  let opened = 0

  /** A stream that is over is forgotten with its last event. */
  function tidy(name: string): void {
    if (streams.get(name)?.isOver && !kept.some(({ stream }) => stream === name)) streams.delete(name)
  }

  function shrink(): void {
    let count = 0
    for (; bytes > maxBytes; count++) bytes -= kept[count]!.bytes.length // their sum is `bytes`
    const dropped = kept.slice(0, count)
    if (count > 0) kept = kept.slice(count)
    for (const { stream, place } of dropped) {
      const of = streams.get(stream)
      if (of) of.gone = place
      tidy(stream)
    }
  }

  return {
    open() {
      const name = String(opened++)
      streams.set(name, { last: 0, gone: 0, isOver: false })
      return name
    },
    add(stream, data) {
      const of = streams.get(stream) ?? { last: 0, gone: 0, isOver: false }
      const place = ++of.last
      const event = formatEvent({ id: `${stream}-${place}` }, data)
      kept.push({ stream, place, bytes: event })
      bytes += event.length
      shrink()
      return event
    },
    newest: (stream) => `${stream}-${streams.get(stream)?.last ?? 0}`,
    end(stream) {
      const of = streams.get(stream)
      if (of) of.isOver = true
      tidy(stream)
    },
    after(id) {
      const [, stream = '', text = ''] = /^(\d{1,15})-(\d{1,15})$/.exec(id) ?? []
      const [of, from] = [streams.get(stream), Number(text)]
      if (of === undefined || from > of.last || from < of.gone) return undefined
      return { stream, events: kept.flatMap((one) => (one.stream === stream && one.place > from ? [one.bytes] : [])) }
    },
  }
}
