/**
 * S3 and what speaks its protocol: the exact lines in objects that are written once and, where asked for, locked.
 *
 *   <prefix><origin>/segments/<first seq, 20 digits>.jsonl      what a batch holds; their sequence is the ledger
 *   <prefix><origin>/checkpoints/<size, 20 digits>              the newest signed note of a batch
 *
 * Nothing is replaced (`If-None-Match: *`): where an object lies already, it is read and compared. What it has of the
 * batch is not written again; another object under the key is trouble, because then there are two histories. A folder
 * with the copied `segments` is read by `sworn verify` as a ledger is. Source: spec scale-out §3.6; Amazon S3 API
 * 2006-03-01, PutObject.
 * @module
 */
import { isJsonObject, type JsonValue, parseCheckpoint, parseNote } from '@sworn/verify'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed, typeOf } from '../sink.ts'
import { type AwsOptions, awsReason } from './aws.ts'
import {
  type Encryption,
  failure,
  loadS3,
  type NewObject,
  type ObjectStore,
  type Retention,
  type S3Driver,
  type StoredObject,
} from './s3-driver.ts'

export interface S3Options extends AwsOptions {
  readonly bucket: string
  /** As it stands before the origin. */
  readonly prefix: string
  /** The ledger's. */
  readonly origin: string
  /** Of what a batch holds. */
  readonly extension: string
  readonly mediaType: string
  /** Object Lock; absent: as the bucket does. */
  readonly lock?: { readonly mode: Retention['mode']; readonly days: number } | undefined
  readonly encryption?: Encryption | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Default: the package next to sworn. */
  readonly driver?: () => Promise<S3Driver>
}

const LIMITS = { items: 10_000, bytes: 8 << 20 }
const DAY_MS = 86_400_000
/** The last seq of an object, in its metadata. */
const TO = 'sworn-to'
const OTHER = 'another object lies under the key of these entries'

/** Entries `[from, to]` lie in one object. */
interface Span {
  readonly from: number
  readonly to: number
}

interface Archive {
  readonly store: ObjectStore
  readonly options: S3Options
  readonly signal: AbortSignal
}

export function s3Sink(options: S3Options): OpenSink {
  return async (mark) => {
    const store = (await (options.driver ?? loadS3)()).open(options.bucket, options)
    let newest = parseSpan(mark) // undefined: what lies there is not known yet
    return {
      limits: LIMITS,
      async send(items, signal): Promise<Outcome> {
        const archive = { store, options, signal }
        try {
          newest = await storeLines(items, newest, archive)
          await storeCheckpoint(items, archive)
          return { id: keyOf(newest.from, options), mark: { ...newest } }
        } catch (e) {
          return allAgain(items, awsReason(e))
        }
      },
      probe: (signal) => probe({ store, options, signal }),
      close: async () => store.close(),
    }
  }
}

/** The object of the newest lines, as the last run left it. */
function parseSpan(mark: JsonValue | undefined): Span | undefined {
  if (isJsonObject(mark) && typeof mark.from === 'number' && typeof mark.to === 'number') return { from: mark.from, to: mark.to }
  return undefined
}

async function storeLines(items: readonly Item[], newest: Span | undefined, archive: Archive): Promise<Span> {
  const first = items[0]!.seq
  let span = newest && first >= newest.from ? newest : await findSpan(first, archive)
  if (span.from === first) span = NOWHERE // the object begins with this batch: it is compared where it would be made
  let left = await behind(items, span, archive)
  while (left.length > 0) {
    span = await storeObject(left, archive)
    left = left.filter(({ seq }) => seq > span.to)
  }
  return span
}

const NOWHERE: Span = { from: -1, to: -1 }

/** The object that begins before entry `seq`, next to it: a new sink, or a replay, may find what an earlier one stored. */
async function findSpan(seq: number, { store, options, signal }: Archive): Promise<Span> {
  let from = NOWHERE.from
  for await (const key of store.list(`${baseOf(options)}segments/`, signal)) {
    const at = firstSeqOf(key, options) ?? from
    if (at >= seq) break
    from = at
  }
  if (from === NOWHERE.from) return NOWHERE
  return { from, to: endOf(await store.get(keyOf(from, options), signal)) }
}

/** A batch that was cut differently before may begin inside an object: what that has of it is there. */
async function behind(items: readonly Item[], { from, to }: Span, { store, options, signal }: Archive): Promise<readonly Item[]> {
  if (items[0]!.seq > to) return items
  const { body } = await store.get(keyOf(from, options), signal)
  const isThere = Buffer.from(body).includes(`\n${linesOf(items.filter(({ seq }) => seq <= to))}`)
  if (!isThere) throw failure(OTHER)
  return items.filter(({ seq }) => seq > to)
}

async function storeObject(items: readonly Item[], { store, options, signal }: Archive): Promise<Span> {
  const [from, to] = [items[0]!.seq, items.at(-1)!.seq]
  const key = keyOf(from, options)
  const object = newObject(linesOf(items), options.mediaType, { [TO]: String(to) }, options)
  if (await store.put(key, object, signal)) return { from, to }
  const there = await store.get(key, signal)
  const end = endOf(there)
  const same = Buffer.from(linesOf(items.filter(({ seq }) => seq <= end)))
  const isSame = end > to ? same.equals(there.body.subarray(0, same.length)) : same.equals(there.body)
  if (end < from || !isSame) throw failure(OTHER)
  return { from, to: end }
}

/** The last seq that it says it has; it is compared before it is believed. */
function endOf({ metadata }: StoredObject): number {
  const end = Number(metadata[TO])
  if (!Number.isSafeInteger(end)) throw failure(OTHER)
  return end
}

/** The ledger's own record of it holds the note. Signatures may be more by now; what they sign may not change. */
async function storeCheckpoint(items: readonly Item[], { store, options, signal }: Archive): Promise<void> {
  const note = items.findLast((item) => typeOf(item) === 'log.checkpoint')?.event.checkpoint
  if (typeof note !== 'string') return
  const { text } = parseNote(note)
  const key = `${baseOf(options)}checkpoints/${padded(parseCheckpoint(text).size)}`
  if (await store.put(key, newObject(note, 'text/plain; charset=utf-8', {}, options), signal)) return
  const there = parseNote((await store.get(key, signal)).body)
  if (there.text !== text) throw failure('another checkpoint of this size lies there')
}

/** One small object, the same at every probe and never locked by us, is written where it is not there, and read. */
async function probe({ store, options, signal }: Archive): Promise<Probed> {
  const [key, text] = [`${baseOf(options)}probe`, 'sworn probe\n']
  try {
    const { encryption } = options
    await store.put(key, { body: Buffer.from(text), mediaType: 'text/plain', metadata: {}, encryption }, signal)
    const { body } = await store.get(key, signal)
    return Buffer.from(body).equals(Buffer.from(text)) ? { shown: 'written once and read back' } : { wrong: 'another object is read back' }
  } catch (e) {
    return { wrong: awsReason(e) }
  }
}

function newObject(text: string, mediaType: string, metadata: NewObject['metadata'], { lock, encryption, now }: S3Options): NewObject {
  const retention = lock && { mode: lock.mode, until: new Date(now() + lock.days * DAY_MS) }
  return { body: Buffer.from(text), mediaType, metadata, retention, encryption }
}

/** Before the keys of a ledger. */
export const baseOf = ({ prefix, origin }: Pick<S3Options, 'prefix' | 'origin'>) => `${prefix}${origin}/`
const padded = (n: number) => String(n).padStart(20, '0')
const keyOf = (seq: number, options: S3Options) => `${baseOf(options)}segments/${padded(seq)}.${options.extension}`
const linesOf = (items: readonly Item[]) => items.map(({ body }) => `${body}\n`).join('')

/** The entry that a key names; undefined when it is no key of this archive's segments. */
export function firstSeqOf(key: string, options: Pick<S3Options, 'prefix' | 'origin' | 'extension'>): number | undefined {
  const before = `${baseOf(options)}segments/`
  const name = key.slice(before.length, before.length + 20)
  const seq = Number(name)
  return /^\d{20}$/.test(name) && key === `${before}${name}.${options.extension}` && Number.isSafeInteger(seq) ? seq : undefined
}
