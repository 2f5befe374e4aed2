/** Short ways to make identities: one per process, keys and counter shared. @module */
import type { AuditEvent, ReserveFn } from '@sworn/recorder'
import {
  type Binding,
  createIdentity,
  createPeriodicKeys,
  type Identity,
  type IssuedToken,
  type KeyStore,
  memoryKeyStore,
} from '../../src/identity/index.ts'
import { loadPolicy } from '../../src/policy/index.ts'
import type { Policy } from '../../src/policy/types.ts'
import type { Profile } from '../../src/profiles.ts'
import { createTokenBuckets } from '../../src/rate.ts'
import { policyText } from './make.ts'

export const START_MS = Date.UTC(2026, 0, 24, 10)

/** @param spec YAML lines below `spec` */
export function identityPolicy(spec: string, profile: Profile = 'strict'): Policy {
  return loadPolicy({ text: policyText(spec), name: 'agent.yaml' }, { profile, actsOn: ['identity', 'server'] })
}

export const FREE = 'identity: {enabled: true, require_token: true, session_binding: policy}'

export function bindingOf(n: number, change: Partial<Binding> = {}): Binding {
  const instance = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  return { process_id: 100 + n, instance, policy_path: '/etc/agent.yaml', hostname: 'node-1.example.com', ...change }
}

/** One machine: a clock, a counter that its processes share, a store of keys. */
export interface Machine {
  nowMs: number
  readonly reserve: ReserveFn
  /** The appender was restarted: its counters are gone. */
  forget(): void
  readonly store: KeyStore
  readonly events: AuditEvent[]
}

export function createMachine(): Machine {
  let count: ReserveFn
  const machine: Machine = {
    nowMs: START_MS,
    reserve: (step) => count(step),
    forget() {
      count = createTokenBuckets(() => machine.nowMs)
    },
    store: memoryKeyStore(),
    events: [],
  }
  machine.forget()
  return machine
}

export interface ProcessOptions {
  readonly policy?: Policy
  readonly binding?: Binding
  readonly reserve?: ReserveFn
  readonly record?: (event: AuditEvent) => Promise<unknown>
  readonly revokedOnRecord?: (sessionId: string) => Promise<boolean>
}

export function startProcess(machine: Machine, options: ProcessOptions = {}): Identity {
  const { policy = identityPolicy(FREE), binding = bindingOf(1), reserve = machine.reserve } = options
  const now = () => machine.nowMs
  return createIdentity({
    policy,
    keys: createPeriodicKeys(policy.identity!, machine.store, now),
    binding,
    reserve,
    record: options.record ?? (async (event) => void machine.events.push(event)),
    ...(options.revokedOnRecord && { revokedOnRecord: options.revokedOnRecord }),
    now,
  })
}

/** What became of a token: `ok`, AIP's word, or the kind of the fault. */
export async function outcome(identity: Identity, token: string | IssuedToken | undefined, sessionId?: string): Promise<string> {
  const text = typeof token === 'object' ? token.text : token
  const { check } = await identity.judge({ token: text, ...(sessionId !== undefined && { sessionId }) }, 'read_file')
  const fault = check?.fault
  if (!fault) return 'ok'
  if (fault.kind === 'invalid') return fault.error
  return fault.kind === 'revoked' ? `${fault.revocation}_revoked` : fault.kind
}
