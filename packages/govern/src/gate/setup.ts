/**
 * What a gate is made from, and what it works with: policy, paths, roles, counters.
 * @module
 */
import type { ReserveFn } from '@sworn/recorder'
import { createPathGuard } from '../paths/guard.ts'
import { nodePlatform } from '../paths/node-platform.ts'
import type { Platform } from '../paths/place.ts'
import { createSelfGuard } from '../paths/self-guard.ts'
import type { Policy } from '../policy/types.ts'
import type { Profile } from '../profiles.ts'
import { createTokenBuckets } from '../rate.ts'
import type { Setup } from './checks.ts'
import { createLoadCommands, type LoadCommands } from './commands.ts'
import { cpuMs } from './deadline.ts'
import { createRoles, type RoleOptions, type Roles } from './roles.ts'

/** Who shares a rate limit. */
export type RateScope = 'process' | 'session' | 'user' | 'ledger'

export interface GateOptions {
  /** undefined: no policy is set. `strict` then only protects itself; `aip-compat` blocks every tool. */
  readonly policy: Policy | undefined
  /** Defaults to the policy's own, and must not differ from it; without a policy to `strict`. */
  readonly profile?: Profile
  /** Counts where the ledger is appended. Without it, and in `aip-compat`, this process counts alone. */
  readonly reserve?: ReserveFn
  /** Default `ledger`: all users and sessions of the ledger together. */
  readonly rateScope?: RateScope
  /** Paths that are protected without the policy saying so: ledger, keys, policy file, configuration. */
  readonly selfProtected?: readonly string[]
  readonly platform?: Platform
  /** Users and roles; absent: everybody may what the policy allows. Budgets need `reserve`. */
  readonly roles?: RoleOptions
  /** `report`: in monitor mode a block rule only reports. Default `enforce`, as AIP's reference does. */
  readonly monitorBlockRules?: 'enforce' | 'report'
  /** Of `mask: hash`, 32 bytes; without it equal values have equal hashes within this gate only. */
  readonly maskKey?: Uint8Array
  /** Milliseconds that never run backwards. */
  readonly now?: () => number
  /** Unix milliseconds, for the day of a budget. */
  readonly clock?: () => number
}

/** A gate at work. */
export interface Judge {
  readonly setup: Setup
  readonly roles: Roles | undefined
  /** Whether commands are looked at: where there is something of ours to protect, or roles. */
  readonly judgesCommands: boolean
  readonly loadCommands: LoadCommands
  readonly rateScope: RateScope
  readonly reserve: ReserveFn
  /** How long a call is judged: milliseconds that never run backwards. */
  readonly clock: () => number
  /** Rates are counted where the ledger is appended, and its records name them. */
  readonly sharesRates: boolean
}

/** @throws TypeError as `createGate` */
export function toJudge(options: GateOptions): Judge {
  const profile = options.profile ?? options.policy?.profile ?? 'strict'
  if (options.policy && options.policy.profile !== profile) throw new TypeError('the profile that the policy was loaded with was expected')
  const shared = profile === 'strict' && options.rateScope !== 'process' ? options.reserve : undefined
  const platform = options.platform ?? nodePlatform()
  return {
    loadCommands: createLoadCommands(),
    setup: toSetup(options, profile, platform),
    roles: toRoles(options, platform),
    judgesCommands: options.roles !== undefined || (options.selfProtected ?? []).length > 0,
    rateScope: options.rateScope ?? 'ledger',
    clock: options.now ?? cpuMs,
    reserve: shared ?? createTokenBuckets(options.now ?? (() => performance.now())),
    sharesRates: shared !== undefined,
  }
}

function toSetup({ policy, selfProtected = [], monitorBlockRules }: GateOptions, profile: Profile, platform: Platform): Setup {
  const paths = createPathGuard({ paths: policy?.protectedPaths ?? [], selfProtected, profile, platform })
  return {
    policy,
    profile,
    platform,
    paths,
    self: createSelfGuard(selfProtected, platform),
    blockInMonitor: monitorBlockRules !== 'report',
  }
}

function toRoles({ roles, reserve, clock }: GateOptions, platform: Platform): Roles | undefined {
  if (!roles) return undefined
  const limited = [...roles.directory.roles.values()].some(({ limits }) => limits.length > 0)
  if (limited && !reserve) throw new TypeError('budgets are counted at the ledger: reserve was expected')
  const counted = reserve ?? (() => Promise.reject(new TypeError('nothing is counted here')))
  return createRoles({ options: roles, platform, reserve: counted, clock: clock ?? Date.now })
}
