/** The policy server's routes around a machine's identity, and short requests to them. @module */
import type { AuditEvent } from '@sworn/recorder'
import { createPolicyRoutes, type PolicyRoutesOptions } from '../../src/http/index.ts'
import type { Identity, Session } from '../../src/identity/index.ts'
import { createGate } from '../../src/index.ts'
import type { Policy } from '../../src/policy/types.ts'
import { createMachine, identityPolicy, type Machine, startProcess } from './identity.ts'
import { emptyDisk } from './make.ts'

export const CLIENT = { token: 'client-token-0123456789', name: 'ci@example.com' }
export const ADMIN = { token: 'admin-token-0123456789', name: 'ops@example.com' }
export const GUARDED = 'allowed_tools: [read_file]\nidentity: {enabled: true, require_token: true, session_binding: policy}'
export const CALL = { tool: 'read_file', arguments: { path: '/srv/place/a.txt' } }

export interface PolicyServer {
  readonly machine: Machine
  readonly identity: Identity | undefined
  /** What was recorded, in order; also by the identity. */
  readonly events: AuditEvent[]
  /** A reload. */
  follow(policy: Policy): void
  session(): Promise<Session>
  fetch(request: Request): Promise<Response>
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
  validate(body: unknown, token?: string): Promise<Response>
  revoke(body: unknown, token?: string): Promise<Response>
  get(path: string, token?: string): Promise<Response>
}

const bearer = (token: string | undefined): Record<string, string> => (token === undefined ? {} : { authorization: `Bearer ${token}` })

export function createPolicyServer(spec = GUARDED, options: Partial<PolicyRoutesOptions> & { policy?: Policy } = {}): PolicyServer {
  const machine = createMachine()
  let policy = options.policy ?? identityPolicy(spec)
  const gateOf = (of: Policy) => createGate({ policy: of, platform: emptyDisk, now: () => machine.nowMs })
  let gate = gateOf(policy)
  const record = options.record ?? (async (event: AuditEvent) => void machine.events.push(event))
  const identity = policy.identity && startProcess(machine, { policy, record })
  const routes = createPolicyRoutes({
    governing: () => ({ policy, gate }),
    profile: policy.profile,
    ...(identity && { identity }),
    clients: [CLIENT],
    admins: [ADMIN],
    now: () => machine.nowMs,
    ...options,
    record,
  })
  const fetch = async (request: Request): Promise<Response> => (await routes.route(request)) ?? new Response(null, { status: 404 })
  const post: PolicyServer['post'] = (path, body, headers = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return fetch(
      new Request(`http://127.0.0.1${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text }),
    )
  }
  return {
    machine,
    identity,
    events: machine.events,
    follow(next) {
      policy = next
      gate = gateOf(next)
      identity?.follow(next)
    },
    async session() {
      if (!identity) throw new TypeError('the policy has no identity')
      return identity.openSession()
    },
    fetch,
    post,
    validate: (body, token) => post('/v1/validate', body, bearer(token)),
    revoke: (body, token) => post('/v1/revoke', body, bearer(token)),
    get: (path, token) => fetch(new Request(`http://127.0.0.1${path}`, { headers: bearer(token) })),
  }
}
