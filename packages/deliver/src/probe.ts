/**
 * Asks each sink whether it would take entries now: what `sworn doctor` shows of delivery.
 *
 * Runs beside the process that delivers and touches nothing of its state. No line holds a credential, an address with
 * one, or a value of an event.
 * @module
 */
import { ERRORS, SwornError } from '@sworn/verify'
import type { Clock } from './clock.ts'
import type { SinkPlan } from './delivery.ts'
import { reasonOf } from './ship.ts'
import type { Probed, Sink } from './sink.ts'

export interface ProbeResult {
  readonly name: string
  readonly type: string
  readonly ok: boolean
  /** What was shown; or what is wrong and what to do. */
  readonly detail: string
}

export interface ProbeOptions {
  /** For each sink; they are asked side by side. */
  readonly timeoutMs: number
  readonly clock: Clock
}

const ALIVE_MS = 1000

/** Never rejects; in the order of `plans`. */
export async function probeSinks(plans: readonly SinkPlan[], options: ProbeOptions): Promise<readonly ProbeResult[]> {
  const timer = setInterval(() => {}, ALIVE_MS) // connections of sinks keep no process alive; whoever waits for them does
  try {
    return await Promise.all(plans.map((plan) => probeSink(plan, options)))
  } finally {
    clearInterval(timer)
  }
}

async function probeSink({ name, type, open }: SinkPlan, { timeoutMs, clock }: ProbeOptions): Promise<ProbeResult> {
  const done = new AbortController()
  const limit = new AbortController()
  const late = clock.wait(timeoutMs, done.signal).then((): Probed => {
    limit.abort()
    return { wrong: `no answer within ${timeoutMs} ms` }
  })
  const probed = await Promise.race([openAndProbe(open, limit.signal).catch(toWrong), late])
  done.abort()
  return 'shown' in probed ? { name, type, ok: true, detail: probed.shown } : { name, type, ok: false, detail: withHint(probed.wrong) }
}

async function openAndProbe(open: SinkPlan['open'], signal: AbortSignal): Promise<Probed> {
  const sink: Sink = await open(undefined)
  try {
    return await sink.probe(signal)
  } finally {
    await sink.close().catch(() => {}) // whatever it still holds is no entry
  }
}

/** Codes of Node, of drivers and of PostgreSQL, and what usually mends them. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there; start it, or correct the address',
  ECONNRESET: 'the other side ended the connection; does it expect TLS?',
  ENOTFOUND: 'no such host; correct the address',
  EAI_AGAIN: 'names cannot be resolved here',
  EACCES: 'this user may not; correct the permissions',
  ENOSPC: 'the disk is full',
  EDNS: 'no such host; correct the address',
  ETLS: 'the server offers no TLS',
  AuthorizationError: 'the credentials are not accepted; correct them',
  PLT_KFK_NETWORK: 'the brokers cannot be reached; correct the addresses, or tls',
  '28P01': 'user or password is not accepted',
  '28000': 'this user may not come in from here',
  '3D000': 'there is no such database',
  '42501': 'this user may not; grant CREATE and INSERT',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'name its authority with ca_file',
  SELF_SIGNED_CERT_IN_CHAIN: 'name its authority with ca_file',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'name its authority with ca_file',
}

function toWrong(e: unknown): Probed {
  if (SwornError.is(e)) return { wrong: `${e.code} ${e.message}; ${ERRORS[e.code]}` }
  return { wrong: reasonOf(e) }
}

function withHint(reason: string): string {
  return Object.hasOwn(HINTS, reason) ? `${reason}: ${HINTS[reason]}` : reason
}
