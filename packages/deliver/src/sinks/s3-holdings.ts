/**
 * What the s3 sink holds: the lines of its objects, each object from its own first entry to the next one's.
 *
 * The objects of a range are read, one at a time. A line that stands in another object than its own, an object that is
 * named otherwise and a last line without LF have no place: they are told behind the end.
 * @module
 */
import { createSplitter } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import type { Held, OpenHoldings, Range } from '../holdings.ts'
import { awsReason } from './aws.ts'
import { seqOf } from './jsonl-holdings.ts'
import { loadS3, type ObjectStore } from './s3-driver.ts'
import { baseOf, firstSeqOf, type S3Options } from './s3-objects.ts'

type S3HoldingsOptions = Omit<S3Options, 'mediaType' | 'lock' | 'encryption' | 'now'>

/** An object, and the entries that belong in it. */
interface Place extends Range {
  readonly key: string
}

export function s3Holdings(options: S3HoldingsOptions): OpenHoldings {
  return async () => {
    const store = (await (options.driver ?? loadS3)()).open(options.bucket, options)
    const unplaced: Held[] = []
    let listed: Promise<readonly Place[]> | undefined
    const list = async (signal: AbortSignal) => {
      const { places, strange } = await listPlaces(store, options, signal)
      unplaced.push(...strange)
      return places
    }
    return {
      compares: 'bytes',
      findsExtra: true,
      async *read(range, signal): AsyncGenerator<Held> {
        listed ??= list(signal)
        for (const place of await listed) {
          if (place.from >= range.to || place.to <= range.from) continue
          const isHome = place.from >= range.from
          for await (const held of readLines(store, place, signal)) {
            if (held.seq === undefined) {
              if (isHome) unplaced.push({ seq: undefined, body: '' })
            } else if (held.seq >= range.from && held.seq < range.to) yield held
          }
        }
        if (range.to === Number.POSITIVE_INFINITY) yield* unplaced.splice(0)
      },
      close: async () => store.close(),
    }
  }
}

/** @throws SwornError SINK_UNREADABLE */
async function listPlaces(store: ObjectStore, options: S3HoldingsOptions, signal: AbortSignal) {
  const firsts: { key: string; from: number }[] = []
  const strange: Held[] = []
  try {
    for await (const key of store.list(`${baseOf(options)}segments/`, signal)) {
      const from = firstSeqOf(key, options)
      if (from === undefined) strange.push({ seq: undefined, body: '' })
      else firsts.push({ key, from })
    }
  } catch (cause) {
    throw unreadable(cause)
  }
  const places = firsts.map(({ key, from }, i): Place => ({ key, from, to: firsts[i + 1]?.from ?? Number.POSITIVE_INFINITY }))
  return { places, strange }
}

/** @throws SwornError SINK_UNREADABLE */
async function* readLines(store: ObjectStore, { key, from, to }: Place, signal: AbortSignal): AsyncGenerator<Held> {
  const splitter = createSplitter()
  try {
    for await (const chunk of store.read(key, signal)) {
      for (const line of splitter.push(Buffer.from(chunk))) {
        const seq = seqOf(line)
        yield { seq: seq !== undefined && seq >= from && seq < to ? seq : undefined, body: line.toString('utf8') }
      }
    }
  } catch (cause) {
    throw unreadable(cause)
  }
  if (splitter.rest().length > 0) yield { seq: undefined, body: '' }
}

function unreadable(cause: unknown): SwornError {
  return new SwornError('SINK_UNREADABLE', `objects cannot be read (${awsReason(cause)})`, 's3', { cause })
}
