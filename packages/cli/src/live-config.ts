/**
 * The configuration in force, and how another one comes into force while the ledger is open.
 *
 * Read and checked whole first; recorded, on disk; then settings and gate change between two calls. Promise: on
 * any error the old one stays whole, and both outcomes are recorded with names and hashes, never values.
 * Source: design, configuration.
 * @module
 */
import type { Policy } from '@sworn/govern'
import { type AuditKey, compareConfig, type Gate, type LoadedConfig, type Recorder, type RecorderSettings } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import type { Say } from './frame/say.ts'
import { type GatePlan, openGate } from './open-gate.ts'

/** Why files are read again: one of them was saved, or somebody sent SIGHUP. */
export type Cause = 'change' | 'signal'

export interface LiveConfig {
  readonly config: LoadedConfig
  /** Why the policy named at the start blocks everything; undefined once one holds. */
  readonly policyFault: string | undefined
  /** Of this moment: a caller takes it once per call. */
  readonly gate: Gate
  /** What that gate was made from; undefined: no policy is named, or it does not hold. */
  readonly policy: Policy | undefined
  /** Files that are watched; they need not exist. */
  readonly files: readonly string[]
  /** Reads the files again. One at a time, in order; never rejects. */
  reload(cause: Cause): Promise<void>
}

export interface LiveParts {
  readonly recorder: Recorder
  /** @throws SwornError CONFIG_INVALID, IO_FAILED */
  readonly read: () => Promise<LoadedConfig>
  readonly plan: (config: LoadedConfig) => GatePlan
  readonly settings: (config: LoadedConfig) => RecorderSettings
  readonly say: Say
}

interface InForce {
  readonly config: LoadedConfig
  readonly gate: Gate
  readonly policy: Policy | undefined
  readonly fault: string | undefined
  readonly gateKey: string
  readonly gateFiles: readonly string[]
}

interface Next extends InForce {
  readonly changed: readonly AuditKey[]
  readonly fixed: readonly AuditKey[]
  apply(): void
}

/** @param first what the recorder was opened with */
export async function createLiveConfig(first: LoadedConfig, parts: LiveParts): Promise<LiveConfig> {
  const plan = parts.plan(first)
  let inForce: InForce = { config: first, ...(await openGate(plan)), gateKey: plan.key, gateFiles: plan.files }
  let lastFailure = ''
  let running = Promise.resolve()

  async function reload(cause: Cause): Promise<void> {
    try {
      const next = await prepare(inForce, parts)
      lastFailure = ''
      if (cause === 'change' && printOf(next) === printOf(inForce)) return
      await announce(inForce, next, { cause, parts })
      next.apply()
      inForce = next
      parts.say('info', `configuration reloaded: ${next.changed.length > 0 ? next.changed.join(', ') : 'nothing changed'}`)
      if (next.fixed.length > 0) await refuse(fixedError(next.fixed), next.fixed, cause)
    } catch (e) {
      const error = SwornError.is(e) ? e : new SwornError('CONFIG_INVALID', 'the configuration cannot be read')
      if (cause === 'change' && error.message === lastFailure) return
      lastFailure = error.message
      await refuse(error, [], cause)
    } finally {
      parts.say('debug', `configuration read again (${cause})`)
    }
  }

  async function refuse(error: SwornError, refused: readonly AuditKey[], cause: Cause): Promise<void> {
    const kept = refused.length > 0 ? 'not applied' : 'not reloaded, the one in force stays'
    parts.say('error', `configuration ${kept}: ${error.code} ${error.message}`)
    const event = { event_type: 'config_reload_failed', severity: 'error', reason: `${error.code} ${error.message}` }
    const metadata = { cause, source: sourcesOf(inForce.config), refused }
    await parts.recorder.record({ ...event, ...policyOf(inForce.gate), metadata }).catch(() => {}) // said above; nothing depends on it
  }

  return {
    get config() {
      return inForce.config
    },
    get policyFault() {
      return inForce.fault
    },
    get gate() {
      return inForce.gate
    },
    get policy() {
      return inForce.policy
    },
    get files() {
      return [...inForce.config.looked, ...inForce.gateFiles]
    },
    reload(cause) {
      running = running.then(() => reload(cause))
      return running
    },
  }
}

/** Everything that may fail, before anything changes. @throws SwornError CONFIG_INVALID, POLICY_INVALID, IO_FAILED */
async function prepare(inForce: InForce, parts: LiveParts): Promise<Next> {
  const { config, changed, fixed } = compareConfig(inForce.config, await parts.read())
  const plan = parts.plan(config)
  const same = plan.key === inForce.gateKey
  const { gate, policy, fault } = same ? inForce : { ...(await plan.open()), fault: undefined } // the same gate keeps its counters
  const rules = gate.policy.hash !== inForce.gate.policy.hash && !changed.includes('policy') ? (['policy'] as const) : []
  return {
    config,
    gate,
    policy,
    fault,
    gateKey: plan.key,
    gateFiles: plan.files,
    changed: [...changed, ...rules],
    fixed,
    apply: parts.recorder.prepare(parts.settings(config)),
  }
}

interface Announcement {
  readonly cause: Cause
  readonly parts: LiveParts
}

/** Intent before effect: what comes into force is on disk first. @throws SwornError when it cannot be and that blocks */
async function announce(before: InForce, next: Next, { cause, parts }: Announcement): Promise<void> {
  const { recorder } = parts
  const metadata = {
    cause,
    source: sourcesOf(next.config),
    diff: next.changed,
    ...(before.gate.policy.hash !== undefined && { policy_hash_before: before.gate.policy.hash }),
  }
  const events = next.config.refusals.map(({ key, file, reason }) => tampered(key, file, reason))
  const reloaded = { event_type: 'config_reloaded', ...policyOf(next.gate), metadata }
  try {
    for (const event of [...events, reloaded]) await recorder.record(event, { level: 'sync' })
  } catch (e) {
    if (before.config.values.on_audit_failure === 'block') throw e
  }
}

/** The record of what is in force at the start; undefined when no file and no policy was read. Names and hashes, no values. */
export function loaded(config: LoadedConfig, gate: Gate): ({ event_type: 'config_loaded' } & Record<string, unknown>) | undefined {
  const { files, origins } = config
  if (files.length === 0 && origins.policy === undefined && origins.roles === undefined) return undefined
  const origin = Object.fromEntries(Object.entries(origins).flatMap(([key, { kind }]) => (kind === 'default' ? [] : [[key, kind]])))
  return { event_type: 'config_loaded', ...policyOf(gate), metadata: { source: sourcesOf(config), origin } }
}

/** The record of a key that a file was not allowed to set. */
export function tampered(key: AuditKey, file: string, reason: string): { event_type: 'config_tampered' } & Record<string, unknown> {
  return { event_type: 'config_tampered', severity: 'warning', target: file, reason, metadata: { key } }
}

function fixedError(fixed: readonly AuditKey[]): SwornError {
  return new SwornError('CONFIG_INVALID', `${fixed.join(', ')} cannot change while the ledger is open; end this process and start it again`)
}

function printOf({ config, gateKey }: InForce): string {
  return JSON.stringify([config.files, gateKey])
}

function sourcesOf(config: LoadedConfig): object[] {
  return config.files.map(({ path, hash, trusted }) => ({ path, sha256: hash, trusted }))
}

function policyOf({ policy }: Gate): Record<string, unknown> {
  return { ...(policy.name !== undefined && { policy_name: policy.name }), ...(policy.hash !== undefined && { policy_hash: policy.hash }) }
}
