/**
 * The lines that we write ourselves: answers of ours, and messages in which we changed something.
 *
 * A message is forwarded as the bytes that arrived. Two exceptions: a value was replaced (masked or
 * rewritten), then the message is serialised again with every untouched number as it was spelled;
 * and a raw line separator other than LF, which some readers take for the end of a message, is
 * written as its JSON escape.
 * Source: JSON-RPC 2.0 §5, MCP 2026-07-28 (`resultType`), RFC 8259 §7.
 * @module
 */
import { isAscii } from 'node:buffer'
import type { Id, Members } from './read.ts'

export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: Readonly<Record<string, unknown>>
}

/** What `JSON.parse` hands to a reviver since ES2025, and `JSON.rawJSON`; not yet in TypeScript's library. */
interface RawJson {
  parse(text: string, reviver: (name: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): object
  isRawJSON(value: unknown): boolean
}
const raw = JSON as unknown as RawJson // shape above, Node >= 22

function toLine(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}

/** A message of ours. */
export function formatMessage(message: Readonly<Record<string, unknown>>): Buffer {
  return toLine(message)
}

/** An error answer. `id` null when the message it answers had no readable one. */
export function formatError(id: Id | null, { code, message, data }: RpcError): Buffer {
  return toLine({ jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } })
}

/** A tool result that says no, as the 2026-07-28 era wants it: the model sees it and can adapt. */
export function formatDenial(id: Id, { code, message, data }: RpcError): Buffer {
  const reason = typeof data?.reason === 'string' ? `: ${data.reason}` : ''
  const content = [{ type: 'text', text: `${message}${reason}` }]
  return toLine({
    jsonrpc: '2.0',
    id,
    result: { resultType: 'complete', isError: true, content, _meta: { 'sworn/denial': { code, ...data } } },
  })
}

/** The value with numbers that a round trip would change put back as they were written. */
function restore(value: unknown, original: unknown): unknown {
  if (typeof value === 'number' && raw.isRawJSON(original)) return original
  if (typeof value !== 'object' || value === null || typeof original !== 'object' || original === null) return value
  const source = original as Record<string, unknown> // indexed by names of a value of the same shape
  if (Array.isArray(value)) return value.map((item, n) => restore(item, source[n]))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, Object.hasOwn(source, name) ? restore(item, source[name]) : item]),
  )
}

/**
 * The line again, with `value` at `path` (names of nested objects that exist in the line).
 * Everything else keeps its meaning, numbers keep their digits; white space is lost.
 */
export function formatChanged(line: Buffer, path: readonly string[], value: unknown): Buffer {
  return formatEdited(line, path, (original) => restore(value, original))
}

/** The same without the items at `places` of the list at `path`. */
export function formatWithout(line: Buffer, path: readonly string[], places: ReadonlySet<number>): Buffer {
  return formatEdited(line, path, (list) => (Array.isArray(list) ? list.filter((_item, place) => !places.has(place)) : list))
}

function formatEdited(line: Buffer, path: readonly string[], edit: (original: unknown) => unknown): Buffer {
  const keep = (_name: string, item: unknown, { source }: { source?: string }) =>
    typeof item === 'number' && source !== undefined && JSON.stringify(item) !== source ? raw.rawJSON(source) : item
  const whole = raw.parse(line.toString('utf8'), keep) as Members // the line was read as an object before
  const put = (node: unknown, depth: number): unknown => {
    const name = path[depth]
    if (name === undefined) return edit(node)
    const object = node as Record<string, unknown> // the path exists, see above
    return { ...object, [name]: put(object[name], depth + 1) }
  }
  return escapeSeparators(toLine(put(whole, 0)))
}

const SEPARATORS: readonly (readonly [string, string])[] = [
  ['\u2028', '\\u2028'],
  ['\u2029', '\\u2029'],
  ['\u0085', '\\u0085'],
]

/** The same bytes, unless a raw U+2028, U+2029 or U+0085 is among them: in JSON they stand inside strings only. */
export function escapeSeparators(line: Buffer): Buffer {
  if (isAscii(line) || !SEPARATORS.some(([character]) => line.includes(character))) return line
  return Buffer.from(SEPARATORS.reduce((text, [character, written]) => text.replaceAll(character, written), line.toString('utf8')))
}
