/**
 * The sessions of many clients: which one a request belongs to, and when it is over.
 *
 * The 2025 era names its session in `Mcp-Session-Id`; a name belongs to whoever it was given to, another's request
 * under it finds nothing. Without a name (the stateless era, and servers that give none) requests of one client as it
 * introduces itself are one session, and ids of requests mean nothing beyond their own exchange. Names of sessions are
 * secrets: kept as digests, never recorded.
 * Source: MCP 2025-11-25 "Session Management", capture.md §4.1.
 * @module
 */
import { hash } from 'node:crypto'
import type { Message } from '../frames/read.ts'
import { memberOf } from '../frames/read.ts'
import { abandonAsks } from '../relay/asking.ts'
import { createSession, noteEnd, startOf } from '../relay/create-session.ts'
import type { Outlet } from '../relay/outlet.ts'
import { durationOf, isFollowed, isModern, membersOf, metaOf, type Pending, type Session } from '../relay/session.ts'
import type { Principal } from './admit.ts'
import { type Fields, fieldOf } from './headers.ts'
import type { HttpProxyOptions } from './options.ts'

export interface ClientSession {
  readonly session: Session
  readonly principal: Principal
  /** Named by the server: ids of requests are those of the session. */
  stateful: boolean
  key: string
  /** Exchanges that are open. */
  open: number
  /** Ends with its last exchange. */
  retired: boolean
  usedAt: number
  /** Runs when the recorder has caught up. */
  readonly waiting: Set<() => void>
}

export interface Sessions {
  /** Undefined: the name belongs to somebody else, or there is no room. */
  find(principal: Principal, headers: Fields, message: Message | undefined): ClientSession | undefined
  /** The server named the session that it opened with `initialize`. */
  name(client: ClientSession, id: string | undefined): void
  /** An exchange of it is over. */
  leave(client: ClientSession): void
  end(client: ClientSession, why: string): void
  /** Ends those that were idle for too long. */
  sweep(): void
  /** Ends all; resolves when their records are acknowledged or `ackTimeoutMs` is over. */
  close(): Promise<void>
}

/** Where nothing is written: an exchange brings its own ends. */
const NOWHERE: Outlet = {
  blocked: false,
  heavy: false,
  broken: false,
  write() {},
  end() {},
  drained: () => Promise.resolve(),
  detach() {},
}

export interface SessionBounds {
  readonly sessions: number
  readonly idleMs: number
}

export function createSessions(options: HttpProxyOptions, bounds: SessionBounds): Sessions {
  const { clock = () => performance.now() } = options
  const table = new Map<string, ClientSession>()
  const ending = new Set<Promise<void>>()

  function open(principal: Principal, key: string, stateful: boolean): ClientSession {
    const { user } = principal
    const identity = user === undefined ? {} : { identity: { ...options.identity, user, user_source: 'token' } }
    const waiting = new Set<() => void>()
    const onChange = () => {
      for (const resume of [...waiting]) resume()
    }
    const session = createSession(options, { transport: 'http', toClient: NOWHERE, toServer: NOWHERE, onChange, ...identity })
    session.audit.note({ event_type: 'session_start', metadata: { transport: 'http', ...startOf(options) } })
    return { session, principal, stateful, key, open: 0, retired: false, usedAt: clock(), waiting }
  }

  function put(client: ClientSession): boolean {
    if (table.size >= bounds.sessions && !evict()) return false
    table.set(client.key, client)
    return true
  }

  function evict(): boolean {
    let idle: ClientSession | undefined
    for (const client of table.values()) if (client.open === 0 && (idle === undefined || client.usedAt < idle.usedAt)) idle = client
    if (idle !== undefined) end(idle, 'evicted')
    return idle !== undefined
  }

  function end(client: ClientSession, why: string): void {
    if (table.get(client.key) === client) table.delete(client.key)
    if (client.session.gone !== undefined) return
    client.session.gone = 'client_gone'
    const noted = finish(client.session, why)
    ending.add(noted)
    void noted.then(() => ending.delete(noted))
  }

  /** Another session has its place; requests that are open are finished first. */
  function retire(client: ClientSession): void {
    client.retired = true
    if (client.open === 0) end(client, 'replaced')
  }

  async function finish(session: Session, why: string): Promise<void> {
    abandonAsks(session)
    await Promise.allSettled(session.deciding)
    failCalls(session, why)
    await noteEnd(session, { reason: why })
    await session.audit.settled(options.ackTimeoutMs ?? 2000)
  }

  function findOrOpen(principal: Principal, key: string, stateful: boolean): ClientSession | undefined {
    const found = table.get(key)
    if (found !== undefined) {
      found.usedAt = clock()
      return found.principal.key === principal.key ? found : undefined
    }
    if (table.size >= bounds.sessions && !evict()) return undefined
    const client = open(principal, key, stateful)
    return put(client) ? client : undefined
  }

  return {
    find(principal, headers, message) {
      const id = fieldOf(headers, 'mcp-session-id')
      if (id !== undefined) return findOrOpen(principal, digest('id', id), true)
      if (message?.kind === 'request' && message.method === 'initialize') return open(principal, '', true)
      return findOrOpen(principal, keyOf(principal, headers, message), false)
    },
    name(client, id) {
      client.stateful = id !== undefined
      client.key = id === undefined ? digest('unnamed', client.principal.key, '') : digest('id', id)
      const former = table.get(client.key)
      if (former !== undefined && former !== client) retire(former)
      put(client)
    },
    leave(client) {
      client.open--
      if (client.open === 0 && (client.retired || client.key === '')) end(client, client.retired ? 'replaced' : 'not_initialized')
    },
    end,
    sweep() {
      const oldest = clock() - bounds.idleMs
      for (const client of table.values()) if (client.open === 0 && client.usedAt < oldest) end(client, 'idle')
    },
    async close() {
      for (const client of [...table.values()]) end(client, 'closed')
      await Promise.all(ending)
    },
  }
}

function digest(...parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex')
}

function keyOf(principal: Principal, headers: Fields, message: Message | undefined): string {
  const params = message !== undefined && message.kind !== 'response' ? message.params : undefined
  if (!isModern(params)) return digest('unnamed', principal.key, '')
  const info = memberOf(metaOf(params), 'io.modelcontextprotocol/clientInfo')
  return digest('modern', principal.key, JSON.stringify(info ?? fieldOf(headers, 'user-agent') ?? ''))
}

/** Every call that has no outcome yet gets one. */
function failCalls(session: Session, why: string): void {
  for (const call of session.calls.values()) if (call.state === 'sent') noteFailure(session, call, why)
  session.calls.clear()
}

/** The outcome of a call that was forwarded and will not be answered. */
export function noteFailure(session: Session, call: Pending, why: string, rest: Readonly<Record<string, unknown>> = {}): void {
  if (!isFollowed(call)) return
  const about = { ...membersOf(session, call), error_type: why, duration_ms: durationOf(session, call) }
  session.audit.note({ event_type: 'tool_call_error', ...about, ...rest })
}
