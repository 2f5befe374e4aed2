/**
 * Header fields: which pass, and whether those that repeat the body say the same.
 *
 * A gateway may route by `Mcp-Method` and `Mcp-Name` without looking into the body, so a request whose fields
 * disagree with its body is two requests, and goes nowhere. No header field is ever recorded.
 * Source: RFC 9110 §7.6.1, MCP 2026-07-28 "Streamable HTTP" (standard and custom headers).
 * @module
 */
import { type Members, type Message, memberOf } from '../frames/read.ts'

/** JSON-RPC code for fields that disagree with the body. */
export const HEADER_MISMATCH = -32020
/** Carries an identity token to us and from us. */
export const IDENTITY_FIELD = 'AIP-Identity-Token'
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'

/** Which member of `params` the field `Mcp-Name` repeats. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

// biome-ignore format: a table, read by its columns
const HOP = ['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']
const OURS = IDENTITY_FIELD.toLowerCase()
const NOT_SENT = new Set([...HOP, 'host', 'content-length', 'accept-encoding', 'expect', 'forwarded'])
const NOT_RETURNED = new Set([...HOP, 'content-length', 'content-encoding', 'location', 'alt-svc', 'refresh', 'link'])
/** Fields that mean something once only. */
// biome-ignore format: a table, read by its columns
const ONCE = new Set([
  'host', 'origin', 'authorization', 'proxy-authorization', 'content-type', 'content-length', 'content-encoding', 'transfer-encoding',
  'mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'last-event-id', OURS,
])
const PARAM = 'mcp-param-'
/** Which pages may read an answer is said at our door, not at the upstream's. */
const CORS = 'access-control-'

function* pairs(raw: readonly string[]): Generator<[name: string, value: string]> {
  for (let n = 0; n + 1 < raw.length; n += 2) yield [raw[n]!, raw[n + 1]!]
}

/** Names that `Connection` declares to be for this hop only. */
function namedByConnection(value: string | undefined): readonly string[] {
  return value === undefined
    ? []
    : value
        .toLowerCase()
        .split(',')
        .map((name) => name.trim())
}

/** The name of a field that stands twice and may not. */
export function findRepeated(raw: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (const [written] of pairs(raw)) {
    const name = written.toLowerCase()
    if (!ONCE.has(name) && !name.startsWith(PARAM)) continue
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

export interface Forwarding {
  readonly raw: readonly string[]
  readonly connection: string | undefined
  /** The client's `Authorization` was meant for us. */
  readonly keepAuthorization: boolean
  /** Identity tokens are none of ours: the upstream may ask for its own. */
  readonly keepIdentity: boolean
  /** The arguments were changed: fields that repeat them would give away what was masked. */
  readonly keepParams: boolean
}

/** The client's fields for the upstream, flat: name, value, name, value. */
export function toUpstream({ raw, connection, keepAuthorization, keepIdentity, keepParams }: Forwarding): string[] {
  const dropped = namedByConnection(connection)
  const out: string[] = []
  for (const [written, value] of pairs(raw)) {
    const name = written.toLowerCase()
    if (NOT_SENT.has(name) || dropped.includes(name)) continue
    if ((name === 'authorization' && !keepAuthorization) || (name === OURS && !keepIdentity)) continue
    if (name.startsWith(PARAM) && !keepParams) continue
    out.push(written, value)
  }
  return out
}

/** The upstream's fields for the client, flat. Addresses that lead around the proxy are left out. @param keepIdentity as above */
export function toClient(raw: readonly string[], connection: string | undefined, keepIdentity = true): string[] {
  const dropped = namedByConnection(connection)
  const out: string[] = []
  for (const [written, value] of pairs(raw)) {
    const name = written.toLowerCase()
    if (NOT_RETURNED.has(name) || name.startsWith(CORS) || dropped.includes(name)) continue
    if (keepIdentity || name !== OURS) out.push(written, value)
  }
  return out
}

/** `application/json` of `Application/JSON; charset=utf-8`; undefined when there is none or it is no media type. */
export function mediaTypeOf(value: string | undefined): string | undefined {
  const type = value?.split(';', 1)[0]?.trim().toLowerCase()
  return type !== undefined && /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(type) ? type : undefined
}

/** True unless a character set other than UTF-8 is named. */
export function isUtf8Type(value: string | undefined): boolean {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(value ?? '')?.[1]
  return charset === undefined || /^utf-?8$/i.test(charset)
}

/** A field's value, out of its Base64 envelope `=?base64?…?=`; undefined when that is broken. */
export function decodeField(value: string): string | undefined {
  const text = value.trim()
  if (!text.startsWith('=?base64?') || !text.endsWith('?=')) return text
  const inner = text.slice(9, -2)
  const bytes = Buffer.from(inner, 'base64')
  return bytes.toString('base64') === inner ? bytes.toString('utf8') : undefined
}

export type Fields = NodeJS.Dict<string | string[]>

export function fieldOf(headers: Fields, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

/** What the fields say otherwise than the body; undefined when they agree or are silent. */
export function findMismatch(headers: Fields, message: Message): string | undefined {
  const named = message.kind === 'response' ? undefined : message.method
  const method = fieldOf(headers, 'mcp-method')
  if (method !== undefined && method !== named) return 'Mcp-Method is not the method of the body'
  if (message.kind === 'response') return undefined
  const version = fieldOf(headers, 'mcp-protocol-version')
  const claimed = memberOf(memberOf(message.params, '_meta'), VERSION_KEY)
  if (version !== undefined && claimed !== undefined && version !== claimed) return 'MCP-Protocol-Version is not the version of the body'
  return findNameMismatch(headers, message.method, message.params) ?? findParamMismatch(headers, message.params)
}

function findNameMismatch(headers: Fields, method: string, params: Members | undefined): string | undefined {
  const written = fieldOf(headers, 'mcp-name')
  const member = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method] : undefined
  if (written === undefined || member === undefined) return undefined
  return decodeField(written) === memberOf(params, member) ? undefined : `Mcp-Name is not params.${member} of the body`
}

function findParamMismatch(headers: Fields, params: Members | undefined): string | undefined {
  for (const name in headers) {
    if (!name.startsWith(PARAM)) continue
    const value = decodeField(fieldOf(headers, name) ?? '')
    if (value === undefined || !hasLeaf(memberOf(params, 'arguments'), value)) return 'an Mcp-Param field is no value of the arguments'
  }
  return undefined
}

/** True when a string, number or boolean somewhere in `node` is written as `text`. */
function hasLeaf(node: unknown, text: string): boolean {
  if (typeof node === 'object' && node !== null) return Object.values(node).some((value) => hasLeaf(value, text))
  if (typeof node === 'number') return String(node) === text || (text !== '' && Number(text) === node)
  return (typeof node === 'string' || typeof node === 'boolean') && String(node) === text
}

/** The version that a message of the stateless era claims for itself. */
export function versionOf(message: Message): string | undefined {
  const claimed = message.kind === 'response' ? undefined : memberOf(memberOf(message.params, '_meta'), VERSION_KEY)
  return typeof claimed === 'string' && /^[\x21-\x7e]{1,64}$/.test(claimed) ? claimed : undefined
}

/** What `Mcp-Name` has to repeat. */
export function nameOf({ method, params }: { readonly method: string; readonly params?: Members }): string | undefined {
  const value = Object.hasOwn(NAMED_BY, method) ? memberOf(params, NAMED_BY[method]!) : undefined
  return typeof value === 'string' ? value : undefined
}

/** A value as a field can carry it: plain ASCII as it is, the rest in a Base64 envelope. */
export function encodeField(value: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?base64?')
  return plain ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`
}
