/**
 * `sworn proxy --validator`: tool calls are judged by another policy server, and `spec.server` of the own policy says what
 * happens when it does not answer.
 *
 * Loaded with the flag only.
 * @module
 */
import { resolve } from 'node:path'
import { blockingGate, createGate, nodePlatform } from '@sworn/govern'
import { createRemoteGate, createRemoteValidator, DEFAULT_CLIENT_RULES, type Sample } from '@sworn/govern/http'
import { type AuditEvent, type Gate, type LoadedConfig, readPrivateFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import type { Io } from './frame/io.ts'
import { selfProtected } from './open-gate.ts'
import type { Opened } from './open-recorder.ts'
import { planPolicyKeys } from './policy/keys.ts'
import { loadFor } from './reading/location.ts'

export interface ValidatorFlags {
  readonly validator?: string | undefined
  readonly 'validator-token-file'?: string | undefined
  readonly roles?: string | undefined
  readonly config?: string | undefined
}

export interface Validating {
  /** The gate of now; after a reload it is another one. */
  gateOf(opened: Opened): Gate
  /** What was counted so far, by AIP's names. */
  samples(): readonly Sample[]
}

const AT = '--validator'
const FAIL_OPEN = { name: 'aip_fail_open_requests_total', help: 'Calls let through because the policy server did not answer' }
const NO_ROLES = 'no roles were expected here: the policy server judges them'

/**
 * Reads the flags and the file that they name; nothing is asked yet. Roles are judged by the server, or not at all.
 * @throws SwornError USAGE, IO_FAILED, CONFIG_INVALID for a token that others can read, or an address in the clear
 */
export async function planValidator(flags: ValidatorFlags, io: Io): Promise<Validating> {
  const url = flags.validator ?? ''
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new SwornError('USAGE', 'an http or https address was expected', AT)
  const bearer = readToken(flags['validator-token-file'], io)
  let failedOpen = 0
  const client = { url, profile: 'strict', token: async () => bearer, onFailOpen: () => void failedOpen++ } as const
  createRemoteValidator({ ...client, rules: DEFAULT_CLIENT_RULES }) // an address in the clear is refused before anything is opened
  const { values } = await loadFor(io, { roles: flags.roles }, flags.config)
  if (values.roles !== undefined) throw new SwornError('USAGE', NO_ROLES, AT)
  let last: { readonly of: Gate; readonly gate: Gate } | undefined
  return {
    gateOf(opened) {
      if (last?.of !== opened.gate) last = { of: opened.gate, gate: gateOf(opened, client, io.cwd) }
      return last.gate
    },
    samples: () => [{ ...FAIL_OPEN, labels: {}, value: failedOpen }],
  }
}

function readToken(file: string | undefined, { cwd }: Io): string | undefined {
  if (file === undefined) return undefined
  const at = '--validator-token-file'
  const text = readPrivateFile(resolve(cwd, file), { code: 'CONFIG_INVALID', at })?.trim()
  if (text === undefined) throw new SwornError('IO_FAILED', 'the file does not exist', at)
  if (!/^[\x21-\x7e]{1,8192}$/.test(text)) throw new SwornError('CONFIG_INVALID', 'one token was expected', at)
  return text
}

interface Client {
  readonly url: string
  readonly profile: 'strict'
  readonly token: () => Promise<string | undefined>
  readonly onFailOpen: () => void
}

/** A policy that is named and does not hold blocks everything, whatever a server says; so do roles that a reload brings. */
function gateOf({ gate, policy, policyFault, config, recorder }: Opened, client: Client, cwd: string): Gate {
  if (policyFault !== undefined) return gate
  if (config.values.roles !== undefined) return blockingGate('policy_invalid', NO_ROLES)
  const rules = policy?.server ?? DEFAULT_CLIENT_RULES
  const note = (event: AuditEvent) => void recorder.record(event).catch(() => {}) // counted by the recorder
  const validator = createRemoteValidator({ ...client, rules, note, ...(policy && { local: gate }) })
  return createRemoteGate({ local: gate, own: ownGate(config, cwd), validator })
}

function ownGate(config: LoadedConfig, cwd: string): Gate {
  const keys = planPolicyKeys(config.values.policy_keys ?? []).files
  return createGate({ policy: undefined, selfProtected: [...selfProtected(config), ...keys], platform: nodePlatform(cwd) })
}
