/**
 * What the archives in S3 share, whatever their objects hold: keys, locks, the newest checkpoint, a probe.
 * @module
 */
import { parseCheckpoint, parseNote } from '@sworn/verify'
import { type Item, type Probed, typeOf } from '../sink.ts'
import { type AwsOptions, awsReason } from './aws.ts'
import { type Encryption, failure, type NewObject, type ObjectStore, type Retention, type S3Driver } from './s3-driver.ts'

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

const DAY_MS = 86_400_000
export const OTHER = 'another object lies under the key of these entries'

export interface Archive {
  readonly store: ObjectStore
  readonly options: S3Options
  readonly signal: AbortSignal
}

/** The ledger's own record of it holds the note. Signatures may be more by now; what they sign may not change. */
export async function storeCheckpoint(items: readonly Item[], { store, options, signal }: Archive): Promise<void> {
  const note = items.findLast((item) => typeOf(item) === 'log.checkpoint')?.event.checkpoint
  if (typeof note !== 'string') return
  const { text } = parseNote(note)
  const key = `${baseOf(options)}checkpoints/${padded(parseCheckpoint(text).size)}`
  if (await store.put(key, newObject(note, { mediaType: 'text/plain; charset=utf-8' }, options), signal)) return
  const there = parseNote((await store.get(key, signal)).body)
  if (there.text !== text) throw failure('another checkpoint of this size lies there')
}

/** One small object, the same at every probe and never locked by us, is written where it is not there, and read. */
export async function probeArchive({ store, options, signal }: Archive): Promise<Probed> {
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

export function newObject(
  body: NewObject['body'] | string,
  { mediaType, metadata = {} }: { readonly mediaType: string; readonly metadata?: NewObject['metadata'] },
  { lock, encryption, now }: S3Options,
): NewObject {
  const retention = lock && { mode: lock.mode, until: new Date(now() + lock.days * DAY_MS) }
  return { body: typeof body === 'string' ? Buffer.from(body) : body, mediaType, metadata, retention, encryption }
}

/** Before the keys of a ledger. */
export const baseOf = ({ prefix, origin }: Pick<S3Options, 'prefix' | 'origin'>) => `${prefix}${origin}/`
export const padded = (n: number) => String(n).padStart(20, '0')
export const keyOf = (seq: number, options: S3Options) => `${baseOf(options)}segments/${padded(seq)}.${options.extension}`

/** The entry that a key names; undefined when it is no key of this archive's segments. */
export function firstSeqOf(key: string, options: Pick<S3Options, 'prefix' | 'origin' | 'extension'>): number | undefined {
  const before = `${baseOf(options)}segments/`
  const name = key.slice(before.length, before.length + 20)
  const seq = Number(name)
  return /^\d{20}$/.test(name) && key === `${before}${name}.${options.extension}` && Number.isSafeInteger(seq) ? seq : undefined
}
