/**
 * What a dialect is: its descriptor, a writer, and a reader where its records can be read.
 *
 * Adding a dialect is one file in `codecs` or `formats` and one line in `table.ts`; docs/reference/dialects.md is made
 * from the descriptors, and a test holds `names` to what really comes back. Writers are for one export: they chain.
 * @module
 */
import type { JsonObject, JsonValue, Primitives } from '@sworn/verify'
import { type Codec, type Encoded, fromNative, toNative } from './lens.ts'
import type { Event } from './members.ts'
import { formatNative, parseNative } from './native.ts'

/** A key that signs what a dialect signs; the private half stays with the caller. */
export interface DialectSigner {
  readonly algorithm: 'Ed25519' | 'ES256'
  /** 32 bytes for Ed25519; x and y, 64 bytes, for ES256. */
  readonly publicKey: Uint8Array
  /** 64 bytes: RFC 8032, or r and s as in IEEE P1363, s in the lower half. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

export interface DialectOptions {
  readonly primitives: Pick<Primitives, 'hash'>
  /** Version of sworn, for dialects that name the product. */
  readonly version: string
  /** The ledger's origin, for dialects that name their source. */
  readonly origin: string
  readonly signer?: DialectSigner | undefined
  /** What rows that have a number are numbered by; default `running`: from 1 in each export. `seq`: the same at every start. */
  readonly numbers?: 'running' | 'seq' | undefined
}

/** What one event became. */
export interface Written {
  readonly lines: readonly string[]
  /** For dialects without a free slot: the whole event under the id of its record. */
  readonly beside?: { readonly id: JsonValue; readonly event: JsonObject } | undefined
}

export interface Writer {
  /** Lines before the first event. */
  readonly head: readonly string[]
  write(entry: Event): Written | Promise<Written>
}

export interface Descriptor {
  /** As `--dialect` takes it. */
  readonly name: string
  readonly title: string
  /** The exact text that was followed. */
  readonly source: string
  readonly mediaType: string
  readonly extension: string
  /** Members of docs/format.md that the dialect itself can say, `agent.name` for a sub-member. */
  readonly names: readonly string[]
  /** Where the rest of an event goes. */
  readonly rest: string
  /** True when the writer gives events for a sidecar. */
  readonly sidecar?: true
  /** What is lost or said less exactly, for people. */
  readonly loss: readonly string[]
}

export interface Dialect extends Descriptor {
  /** @throws SwornError KEY_INVALID when the dialect needs a signer that is not there */
  openWriter(options: DialectOptions): Writer
  /** Reads one record; absent for dialects that are written only. The function throws SwornError JSON_INVALID or JSON_DUPLICATE_MEMBER. */
  openReader?(options: Pick<DialectOptions, 'primitives'>): (line: string) => Event
}

/** Words that several dialects use for the same fate. */
export const REST = {
  slot: 'member `sworn`',
  metadata: '`metadata.sworn`',
  sidecar: 'the sidecar file',
  dropped: 'nowhere: it is lost',
} as const

/** The record as it is written: linked to those before it. */
type Finish = (encoded: Encoded, entry: Event) => JsonObject

/** A dialect of one JSON record a line. `openFinish` adds what depends on the records before: links, numbers. */
export function lineDialect(
  descriptor: Descriptor,
  codec: Codec,
  openFinish: (options: DialectOptions) => Finish = () =>
    ({ value }) =>
      value,
): Dialect {
  return {
    ...descriptor,
    openWriter(options) {
      const finish = openFinish(options)
      return {
        head: [],
        write(entry) {
          const encoded = toNative(codec, entry)
          const value = finish(encoded, entry)
          return { lines: [(codec.print?.record ?? formatNative)(value, encoded.digits)], beside: besideOf(codec, value, encoded) }
        },
      }
    },
    openReader: () => (line) => fromNative(codec, parseNative(line, codec.print?.number)),
  }
}

/** The sidecar's entry for a record. */
export function besideOf(codec: Codec, value: JsonObject, { beside }: Encoded): Written['beside'] {
  return beside && codec.id ? { id: value[codec.id] ?? null, event: beside } : undefined
}
