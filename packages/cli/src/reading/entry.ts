/**
 * One line as an entry for people and programs. Nothing here is verified: that is `sworn verify`.
 * @module
 */
import type { RawLine } from './lines.ts'

/** A parsed line; every member may be anything, because the file may have been written by anybody. */
export type Entry = Readonly<Record<string, unknown>> & { readonly seq: number }

/** The entry of a line, or undefined when it is not a JSON object with a `seq`. */
export function parseEntry(line: RawLine): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line.bytes.toString('utf8'))
    return isEntry(value) ? value : undefined
  } catch {
    return undefined // not JSON: the caller reports file and line
  }
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'seq' in value && Number.isSafeInteger(value.seq)
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
  return typeof entry.duration_ms === 'number' ? `${entry.duration_ms} ms` : undefined
}
