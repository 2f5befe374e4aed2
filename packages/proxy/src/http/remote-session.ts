/**
 * What a client over HTTP knows of its session: the name that the server gave it, the version that both agreed on, and
 * the fields that every request has to carry because of that.
 *
 * The stateless era has no session: there each request says everything itself, in fields that repeat its body.
 * Source: MCP 2025-11-25 "Session Management", 2026-07-28 "Request Metadata".
 * @module
 */
import { type Id, type Message, memberOf, type Response } from '../frames/read.ts'
import { encodeField, type Fields, fieldOf, nameOf, versionOf } from './headers.ts'
import type { ParamFields } from './remote-params.ts'

const PLAIN = /^[\x21-\x7e]{1,64}$/

export interface RemoteSession {
  /** Whether the server named it. */
  readonly isNamed: boolean
  /** Whether `initialize` was answered with a version: the era with sessions and streams that can be taken up again. */
  readonly isNegotiated: boolean
  /** `initialize` with this id was sent. */
  greet(id: Id): void
  /** Learns the session's name from the fields of any answer. */
  hearFields(headers: Fields): void
  /** Learns the version from the answer to `initialize`. */
  hearAnswer(response: Response): void
  /** For a request to the server, flat: name, value, name, value. */
  fields(extra: readonly string[], message?: Message): string[]
}

/** @param own sent with every request */
export function createRemoteSession(own: Readonly<Record<string, string>>, params: ParamFields): RemoteSession {
  const always = Object.entries(own).flat()
  let name: string | undefined
  let negotiated: string | undefined
  let greeting: Id | undefined
  return {
    get isNamed() {
      return name !== undefined
    },
    get isNegotiated() {
      return negotiated !== undefined
    },
    greet(id) {
      greeting = id
    },
    hearFields(headers) {
      name = fieldOf(headers, 'mcp-session-id') ?? name
    },
    hearAnswer({ id, result }) {
      const version = memberOf(result, 'protocolVersion')
      if (id !== null && id === greeting && typeof version === 'string' && PLAIN.test(version)) negotiated = version
    },
    fields(extra, message) {
      const version = (message && versionOf(message)) ?? negotiated
      const session = name === undefined ? [] : ['Mcp-Session-Id', name]
      const said = version === undefined ? [] : ['MCP-Protocol-Version', version]
      return [...always, ...extra, ...session, ...said, ...repeated(message, params)]
    },
  }
}

/** The fields of the stateless era that repeat the body, for gateways. */
function repeated(message: Message | undefined, params: ParamFields): string[] {
  if (message?.kind !== 'request' || versionOf(message) === undefined) return []
  const name = nameOf(message)
  return ['Mcp-Method', message.method, ...(name === undefined ? [] : ['Mcp-Name', encodeField(name)]), ...params.of(message)]
}
