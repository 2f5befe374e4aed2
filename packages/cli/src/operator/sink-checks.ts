/**
 * What `sworn doctor` says of each configured sink, and of a configuration without its secrets.
 * @module
 */
import { findLedger } from '@sworn/analyze/reading'
import type { LoadedConfig } from '@sworn/recorder'
import { ERRORS, SwornError } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import { planConfigured } from '../open-delivery.ts'
import { readOpening } from '../reading/opening.ts'
import { escapeText } from '../text/escape.ts'

export interface Check {
  readonly what: string
  readonly ok: boolean
  readonly detail: string
}

const TIMEOUT_MS = 10_000

/** One line a sink: each is asked for real, beside whoever delivers; empty where none is configured. */
export async function checkSinks(config: LoadedConfig, io: Io): Promise<readonly Check[]> {
  try {
    const info = { path: config.values.log_path, origin: await originOf(config.values.log_path, io.cwd) }
    const plans = await planConfigured({ config, info, stdout: io.stdout, say: io.say })
    if (plans.length === 0) return []
    const { probeSinks, systemClock } = await import('@sworn/deliver')
    const results = await probeSinks(plans, { timeoutMs: TIMEOUT_MS, clock: systemClock })
    return results.map(({ name, type, ok, detail }) => ({
      what: `sink ${name}${name === type ? '' : ` (${type})`}`,
      ok,
      detail: escapeText(detail),
    }))
  } catch (e) {
    if (!SwornError.is(e)) throw e
    return [{ what: 'sinks', ok: false, detail: escapeText(`${e.code} ${e.message}; ${ERRORS[e.code]}`) }]
  }
}

/** Sinks name the ledger; one that does not exist yet has no name. */
async function originOf(path: string, cwd: string): Promise<string> {
  try {
    return (await readOpening(findLedger(path, cwd))).origin ?? 'sworn.local/doctor'
  } catch (e) {
    if (SwornError.is(e)) return 'sworn.local/doctor'
    throw e
  }
}

const SECTIONS: readonly string[] = ['sinks', 'destinations', 'approvals']
const SECRET = /(^|_)(secret|token|password|api_key|routing_key|access_key|connection|webhook_url)$/

/** `value` of the key `name` of a configuration, for people: whether a secret is set, never which. */
export function withoutSecrets(name: string, value: unknown): unknown {
  return SECTIONS.includes(name) ? hidden(value) : value
}

function hidden(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\/\/[^/@\s]*@/, '//(hidden)@')
  if (Array.isArray(value)) return value.map(hidden)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, isSecret(key) ? '(hidden)' : hidden(member)]))
}

/** Headers may say who somebody is: none of them is shown. */
function isSecret(key: string): boolean {
  return SECRET.test(key) || key === 'headers'
}
