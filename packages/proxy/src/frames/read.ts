/**
 * One line in, one unambiguous JSON-RPC message out, or the reason why not.
 *
 * Strict where servers differ: whatever two parsers could read in two ways is refused and never
 * forwarded. The message is a parsed copy; what is forwarded is the line itself. Never throws.
 * Source: JSON-RPC 2.0, MCP (both eras), RFC 8259, checklist AW14–AW17.
 * @module
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { ENVELOPE, ERROR, findImitation, foldName, isPlainMethod, isPlainToolName, META, METHODS, PARAMS } from './names.ts'
import { countMembers, isWellFormed, MAX_DEPTH, scanStructure } from './scan.ts'

export type Id = string | number
export type Members = Readonly<Record<string, unknown>>

export interface Request {
  readonly kind: 'request'
  readonly id: Id
  readonly method: string
  readonly params?: Members
}
export interface Notification {
  readonly kind: 'notification'
  readonly method: string
  readonly params?: Members
}
export interface Response {
  readonly kind: 'response'
  /** null: the peer could not read the id of what it answers. */
  readonly id: Id | null
  readonly result?: unknown
  readonly error?: Members
}
export type Message = Request | Notification | Response

/** Why a line was refused, and what an answer to it needs. */
export interface Refusal {
  readonly code: -32700 | -32600
  /** Lower case, no value of the message in it. */
  readonly message: string
  /** The id when exactly one could be read. */
  readonly id: Id | null
  /** What the sender meant it to be, as far as it shows; `unknown` is answered, a notification or response is not. */
  readonly kind: 'request' | 'notification' | 'response' | 'unknown'
  readonly method?: string
  readonly tool?: string
}

export type Read = { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly refusal: Refusal }

const CR = 0x0d
/** Longest id in UTF-16 units: it is recorded with every event of its request. */
const MAX_ID = 256

/** Member of an object that came from JSON.parse; own members only. */
export function memberOf(value: unknown, name: string): unknown {
  return isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A JSON-RPC id that survives any parser: a string of at most 256, or an integer within 2^53. */
export function isId(value: unknown): value is Id {
  return (typeof value === 'string' && value.length <= MAX_ID) || (typeof value === 'number' && Number.isSafeInteger(value))
}

function checkMembers(value: Members): string | undefined {
  if (findImitation(value, ENVELOPE) !== undefined) return 'a member that looks like a protocol member'
  if (value.jsonrpc !== '2.0') return 'jsonrpc is not "2.0"'
  if (Object.hasOwn(value, 'result') && Object.hasOwn(value, 'error')) return 'both result and error'
  if (Object.hasOwn(value, 'method')) return checkCall(value)
  return checkResponse(value)
}

function checkResponse(value: Members): string | undefined {
  if (Object.hasOwn(value, 'params')) return 'params without method'
  if (Object.hasOwn(value, 'error')) {
    if (!isMembers(value.error)) return 'error is not an object'
    if (findImitation(value.error, ERROR) !== undefined) return 'a member of error that looks like a protocol member'
    return value.id === undefined || value.id === null || isId(value.id) ? undefined : 'id is neither a short string nor an integer'
  }
  if (!Object.hasOwn(value, 'result')) return 'neither method nor result nor error'
  return isId(value.id) ? undefined : 'id is neither a short string nor an integer'
}

function checkCall(value: Members): string | undefined {
  if (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')) return 'both a call and a response'
  if (Object.hasOwn(value, 'id') && !isId(value.id)) return 'id is neither a short string nor an integer'
  if (typeof value.method !== 'string') return 'method is not a string'
  if (!isPlainMethod(value.method)) return 'a method with unusual characters or spelling'
  if (Object.hasOwn(value, 'params') && !isMembers(value.params)) return 'params is not an object'
  if (value.method === 'tools/call') {
    const wrong = checkToolCall(value)
    if (wrong !== undefined) return wrong
  }
  return METHODS.has(value.method) && isMembers(value.params) ? checkParams(value.params) : undefined
}

function checkParams(params: Members): string | undefined {
  if (findImitation(params, PARAMS) !== undefined) return 'a member of params that looks like a protocol member'
  const meta = memberOf(params, '_meta')
  if (meta !== undefined && !isMembers(meta)) return '_meta is not an object'
  if (isMembers(meta) && findImitation(meta, META) !== undefined) return 'a member of _meta that looks like a protocol member'
  return undefined
}

function checkToolCall(value: Members): string | undefined {
  if (!Object.hasOwn(value, 'id')) return 'tools/call without id'
  const name = memberOf(value.params, 'name')
  if (typeof name !== 'string') return 'the tool name is not a string'
  if (!isPlainToolName(name)) return 'a tool name with unusual characters'
  const input = memberOf(value.params, 'arguments')
  return input === undefined || isMembers(input) ? undefined : 'arguments is not an object'
}

function toMessage(value: Members): Message {
  if (typeof value.method === 'string') {
    const params = isMembers(value.params) ? { params: value.params } : {}
    if (isId(value.id)) return { kind: 'request', id: value.id, method: value.method, ...params }
    return { kind: 'notification', method: value.method, ...params }
  }
  const id = isId(value.id) ? value.id : null
  return isMembers(value.error) ? { kind: 'response', id, error: value.error } : { kind: 'response', id, result: value.result }
}

/** Names of the outermost object as written, duplicates included; only for lines that are refused. */
function topNames(line: Buffer): string[] {
  const names: string[] = []
  scanStructure(line, (start, end) => {
    if (names.length < 64) names.push(foldName(line.toString('utf8', start, end)))
  })
  return names
}

function refuse(line: Buffer, value: unknown, code: Refusal['code'], message: string): Read {
  if (!isMembers(value)) return { ok: false, refusal: { code, message, id: null, kind: 'unknown' } }
  const names = topNames(line)
  const single = (name: string) => Object.hasOwn(value, name) && names.filter((n) => n === name).length === 1
  const id = single('id') && isId(value.id) ? value.id : null
  const call = names.includes('method')
  const answer = names.includes('result') || names.includes('error')
  const kind = call === answer ? 'unknown' : answer ? 'response' : names.includes('id') ? 'request' : 'notification'
  const method = single('method') && typeof value.method === 'string' ? { method: value.method.slice(0, 256) } : {}
  const tool = memberOf(value.params, 'name')
  const named = method.method === 'tools/call' && typeof tool === 'string' ? { tool: tool.slice(0, 256) } : {}
  return { ok: false, refusal: { code, message, id, kind, ...method, ...named } }
}

/** True for a line of JSON white space only: both SDKs skip it. */
export function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== CR && byte !== 0x0a) return false
  return true
}

/**
 * Reads one line, LF included, at most 10 MiB. Attacker-controlled input.
 *
 * A CR is accepted before the LF only: elsewhere some readers see a line end and a second message.
 */
export function readFrame(line: Buffer): Read {
  const cr = line.indexOf(CR)
  if (cr >= 0 && cr !== line.length - 2) return refuse(line, undefined, -32600, 'a carriage return inside the message')
  const ascii = isAscii(line)
  if (!ascii && !isUtf8(line)) return refuse(line, undefined, -32700, 'not UTF-8')
  const { depth, members } = scanStructure(line)
  if (depth > MAX_DEPTH) return refuse(line, undefined, -32600, `nesting deeper than ${MAX_DEPTH}`)
  const text = line.toString(ascii ? 'latin1' : 'utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse(line, undefined, -32700, 'not JSON')
  }
  if (Array.isArray(value)) return refuse(line, value, -32600, 'a batch: one message a line is expected')
  if (!isMembers(value)) return refuse(line, value, -32600, 'not an object')
  if (countMembers(value) !== members) return refuse(line, value, -32600, 'a member name occurs twice in one object')
  if (text.includes('\\u') && !isWellFormed(value)) return refuse(line, value, -32600, 'half a surrogate pair')
  const wrong = checkMembers(value)
  if (wrong !== undefined) return refuse(line, value, -32600, wrong)
  return { ok: true, message: toMessage(value) }
}
