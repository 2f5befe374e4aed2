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
import { isJsonObject, type JsonValue } from '@sworn/verify'
import { allAgain, type Item, type OpenSink, type Outcome } from '../sink.ts'
import { awsReason } from './aws.ts'
import { failure, loadS3, type StoredObject } from './s3-driver.ts'
import { type Archive, baseOf, firstSeqOf, keyOf, newObject, OTHER, probeArchive, type S3Options, storeCheckpoint } from './s3-objects.ts'

const LIMITS = { items: 10_000, bytes: 8 << 20 }
/** The last seq of an object, in its metadata. */
const TO = 'sworn-to'

/** Entries `[from, to]` lie in one object. */
interface Span {
  readonly from: number
  readonly to: number
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
      probe: (signal) => probeArchive({ store, options, signal }),
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
  const object = newObject(linesOf(items), { mediaType: options.mediaType, metadata: { [TO]: String(to) } }, options)
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

const linesOf = (items: readonly Item[]) => items.map(({ body }) => `${body}\n`).join('')
