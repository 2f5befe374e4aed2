/**
 * Sessions of coding agents that tell of calls by their telemetry, and of which no hook is on record: nobody could stop them.
 *
 * A client whose hooks its user did not trust runs none, and says nothing of it. Telemetry and hooks name one session alike;
 * seen with the clients of SCOPES. A session whose hooks all lie before what is looked at counts as one without. Pure and
 * bounded: the newest MAX_SESSIONS. Source: capture.md §4.6.
 * @module
 */
import type { Entry } from '../reading/entry.ts'

export interface SilentHooks {
  /** As its hooks name it. */
  readonly client: string
  readonly sessions: number
  /** The newest entry of the newest of them. */
  readonly seq: number
  /** Hooks of it are on record, of other sessions. */
  readonly hooks_elsewhere: boolean
}

/** Somebody who tells of a session of one of the clients: a hook of it, or, of a call, its telemetry. */
export interface Telling {
  readonly client: string
  /** At most 200 UTF-16 units. */
  readonly session: string
  readonly by: 'hook' | 'telemetry'
}

export interface SilentBuilder {
  /** In the order of the ledger. */
  add(entry: Entry): void
  done(): readonly SilentHooks[]
}

export const MAX_SESSIONS = 4096
const MAX_ID = 200
/** The instrumentation scope of a client's telemetry. */
const SCOPES: readonly (readonly [RegExp, string])[] = [
  [/^com\.anthropic\.claude_code\b/, 'claude-code'],
  [/^codex[_-]/, 'codex'],
]
const CLIENTS: ReadonlySet<unknown> = new Set(SCOPES.map(([, client]) => client))
const CALLS: ReadonlySet<unknown> = new Set(['authorization_decision', 'tool_call_start', 'tool_call_end', 'tool_call_error'])

interface Session {
  readonly client: string
  hooked: boolean
  /** Of the newest call that was told of. */
  told?: number
}

export function createSilentHooks(): SilentBuilder {
  const sessions = new Map<string, Session>()
  const hooking = new Set<string>()

  function enter(client: string, id: string): Session {
    const key = `${client} ${id}`
    const session = sessions.get(key) ?? { client, hooked: false }
    sessions.delete(key)
    sessions.set(key, session) // the newest last
    if (sessions.size > MAX_SESSIONS) sessions.delete(sessions.keys().next().value!)
    return session
  }

  return {
    add(entry) {
      const telling = tellingOf(entry)
      if (telling === undefined) return
      const { client, session, by } = telling
      const entered = enter(client, session)
      if (by === 'telemetry') entered.told = entry.seq
      else {
        entered.hooked = true
        hooking.add(client)
      }
    },
    done() {
      const silent = [...sessions.values()].filter(({ hooked, told }) => !hooked && told !== undefined)
      return [...Map.groupBy(silent, ({ client }) => client)].map(([client, of]) => ({
        client,
        sessions: of.length,
        seq: Math.max(...of.map(({ told = 0 }) => told)),
        hooks_elsewhere: hooking.has(client),
      }))
    },
  }
}

/** Undefined for every other entry. */
export function tellingOf({ session_id: session, event_type: type, source }: Entry): Telling | undefined {
  const { kind, name } = (source ?? {}) as { readonly kind?: unknown; readonly name?: unknown } // looked at below
  if ((kind !== 'hook' && kind !== 'otlp') || typeof name !== 'string') return undefined
  if (typeof session !== 'string' || session.length > MAX_ID) return undefined
  if (kind === 'hook') return CLIENTS.has(name) ? { client: name, session, by: 'hook' } : undefined
  const client = CALLS.has(type) ? SCOPES.find(([scope]) => scope.test(name))?.[1] : undefined
  return client === undefined ? undefined : { client, session, by: 'telemetry' }
}
