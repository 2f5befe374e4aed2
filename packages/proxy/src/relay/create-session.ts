/**
 * The state of one proxied session, and the records at its two ends; the same for every transport.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { ActionIds } from '@sworn/recorder'
import { createAudit } from './audit.ts'
import { createLane } from './lane.ts'
import type { ProxyIdentity, RelayOptions } from './options.ts'
import type { Outlet } from './outlet.ts'
import { createPeople } from './people.ts'
import type { Session } from './session.ts'
import { createTokens } from './session-tokens.ts'
import { endTokens } from './tokens.ts'
import { memoryPins } from './tool-list.ts'

/** What differs between transports. */
export interface Ends {
  readonly transport: 'stdio' | 'http'
  readonly toClient: Outlet
  readonly toServer: Outlet
  /** Runs when the recorder caught up or fell behind. */
  readonly onChange: () => void
  /** Who acts in this session; default: the options' identity. */
  readonly identity?: ProxyIdentity
}

const NONE: ReadonlySet<string> = new Set()

/** Takes our own lines where the options say nothing: all of them to stderr. */
export function sayOf({ say, stderr }: RelayOptions): NonNullable<RelayOptions['say']> {
  return say ?? ((_level, line) => void stderr.write(`sworn: ${line}\n`))
}

export function createSession(options: RelayOptions, { transport, toClient, toServer, onChange, identity }: Ends): Session {
  const { recorder, clock = () => performance.now(), randomId = randomUUID } = options
  const { user, user_source = 'config', agent } = identity ?? options.identity ?? {}
  const session_id = options.sessionId ?? randomId()
  const who = user === undefined ? { user_source: 'none' } : { user, user_source }
  const source = { kind: transport === 'http' ? 'mcp_http' : 'mcp_stdio', name: 'sworn-proxy', vantage: 'inline' }
  const say = sayOf(options)
  const session: Session = {
    transport,
    ids: { session: session_id, ...(user !== undefined && { user }) },
    tokens: options.tokens && createTokens(options.tokens, session_id),
    beside: options.beside,
    newest: {},
    get gate() {
      return options.gate
    },
    audit: createAudit({
      recorder,
      base: () => ({ ...who, agent: agent ?? session.client, session_id, source }),
      ackTimeoutMs: options.ackTimeoutMs ?? 2000,
      mode: options.recordMode ?? 'before',
      get onFailure() {
        return options.onAuditFailure ?? 'block'
      },
      unrecorded: options.unrecorded ?? NONE,
      warn: (line) => say('error', line),
      onChange,
    }),
    toClient,
    toServer,
    lane: createLane(toServer.write, onChange),
    clock,
    randomId,
    stats: {
      allowed: 0,
      denied: 0,
      dlp_blocked: 0,
      dlp_masked: 0,
      malformed: 0,
      cancelled: 0,
      approvals: 0,
      dry_run: 0,
      budget_exceeded: 0,
    },
    calls: new Map(),
    cancelled: new Map(),
    asked: new Map(),
    retries: new Map(),
    tasks: new Map(),
    parked: new Map(),
    tools: new Map(),
    pins: options.pins ?? memoryPins(),
    alerted: new Map(),
    say,
    people: options.approvals && createPeople(options.approvals),
    deciding: new Set(),
    server: {},
    client: {},
    gone: undefined,
  }
  return session
}

/** Says once what an operator must know about these options. */
export function warnOf(options: RelayOptions): void {
  const say = sayOf(options)
  if (options.gate === undefined) say('warn', 'no policy: every call is recorded, none is blocked')
  const meters = metersOf(options)
  if (meters.length > 0)
    say(
      'warn',
      `${meters.join(', ')}: only what the server reports of a call in _meta is counted; a call without a report costs nothing there`,
    )
  if (options.recordMode === 'batch') say('warn', 'records reach the disk shortly after the call, not before it (record mode batch)')
  if (options.onAuditFailure === 'continue') say('warn', 'calls go on when the audit log cannot be written (on_audit_failure: continue)')
}

/** Members of every `session_start`. */
export function startOf(options: RelayOptions): Record<string, unknown> {
  const { gate, recordMode = 'before', onAuditFailure = 'block', unrecorded = NONE } = options
  const meters = metersOf(options)
  const reported = meters.length > 0 ? { budgets_by_report: meters } : {}
  const silent = unrecorded.size > 0 ? { unrecorded_tools: [...unrecorded] } : {}
  return { can_block: gate !== undefined, record_mode: recordMode, on_audit_failure: onAuditFailure, ...reported, ...silent }
}

/** Budgets that this proxy cannot measure by itself. */
function metersOf({ gate }: RelayOptions): readonly string[] {
  return (gate?.meters?.() ?? []).map(({ rule }) => rule)
}

/** Records the end of a session with what was counted. Never rejects. */
export async function noteEnd(session: Session, how: Readonly<Record<string, unknown>>): Promise<void> {
  const { stats, audit, gate, ids, people } = session
  if (ids.session !== undefined) people?.ready?.approvals.endSession(ids.session)
  await endTokens(session)
  const budget = await budgetOf(gate, { ...ids, ...session.newest }, stats.allowed)
  const metadata = { stats: { ...stats, audit_failures: audit.failures }, budget, counts: { ...audit.counts }, ...how }
  audit.note({ event_type: 'session_end', metadata })
}

/** Where nothing limits calls that is said; where the counter does not answer, what is left stays open. */
async function budgetOf(gate: Session['gate'], ids: ActionIds, allowed: number): Promise<Record<string, unknown>> {
  const unlimited = { used: allowed, remaining: null, unlimited: true }
  if (!gate?.budget) return unlimited
  try {
    const state = await gate.budget(ids)
    return state.unlimited ? unlimited : state
  } catch {
    return { used: allowed, remaining: null }
  }
}
