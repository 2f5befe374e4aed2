/**
 * One line as an entry for people and programs. Nothing here is verified: that is `sworn verify`.
 * @module
 */
import type { RawLine } from '@sworn/recorder/segments'

/** A line this long is no entry, whatever it says: readers hold no more of one. The recorder writes at most half of it. */
export const MAX_LINE = 2 << 20

/** A parsed line; every member may be anything, because the file may have been written by anybody. */
export type Entry = Readonly<Record<string, unknown>> & { readonly seq: number }

/** The entry of a line, or undefined when it is not a JSON object with a `seq`, or too long. */
export function parseEntry({ bytes }: Pick<RawLine, 'bytes'>): Entry | undefined {
  if (bytes.length >= MAX_LINE) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isEntry(value) ? value : undefined
  } catch {
    return undefined // not JSON: the caller reports file and line
  }
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'seq' in value && Number.isSafeInteger(value.seq)
}

const PREVIOUS_HEAD = Buffer.from(',"previous_hash":"')
const ENTRY_HEAD = Buffer.from('","entry_hash":"')
/** From the first byte of PREVIOUS_HEAD to the end of an unsigned line, and what a signature adds. */
const HASHES_BYTES = 164
const SIGNED_BYTES = 111

/** Where the hashes begin that the ledger added to the line `bytes[from, to)`; `to` when they are not where they are written. */
export function suffixStart(bytes: Uint8Array, from: number, to: number): number {
  const at = to - HASHES_BYTES
  if (isSuffix(bytes, from, at)) return at
  return isSuffix(bytes, from, at - SIGNED_BYTES) ? at - SIGNED_BYTES : to
}

function isSuffix(bytes: Uint8Array, from: number, at: number): boolean {
  return at > from && isAt(bytes, at, PREVIOUS_HEAD) && isAt(bytes, at + PREVIOUS_HEAD.length + 64, ENTRY_HEAD)
}

/** Whether `part` stands at an offset. */
export function isAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false
  return true
}

/** A member as text for tables: strings as they are, the rest as JSON, nothing for absent. */
export function toText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What the entry acted on, in the fewest words. */
export function describeEntry(entry: Entry): string {
  const parts = [entry.target, entry.method, entry.reason, entry.error, entry.pattern, detail(entry)]
  return parts
    .map(toText)
    .filter((part) => part !== '')
    .join(' · ')
}

function detail(entry: Entry): unknown {
  if (entry.arguments !== undefined) return entry.arguments
  if (entry.event_type === 'instrumentation_report') return describeSource(Object(entry.metadata))
  return durationText(entry)
}

/** `duration_ms` for a person: at most two decimals; undefined without one. */
export function durationText({ duration_ms: ms }: Entry): string | undefined {
  return typeof ms === 'number' ? `${Math.round(ms * 100) / 100} ms` : undefined
}

/** What reports: a package or a client, and its version. */
function describeSource(metadata: Readonly<Record<string, unknown>>): string {
  return [metadata.package ?? metadata.client, metadata.version]
    .map(toText)
    .filter((part) => part !== '')
    .join(' ')
}
