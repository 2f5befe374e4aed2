/**
 * The gate: an action and a policy to a verdict.
 *
 * Never throws and always answers: what cannot be judged is denied. Rates are taken before anything else
 * is looked at, also for calls that are denied later. Source: spec policy §6.2, design "decide".
 * @module
 */
import type { Action, Gate, Reservation, ReserveFn, Verdict } from '@sworn/recorder'
import { createInspection } from './dlp/inspect.ts'
import { type Case, methodRefusal, pathRefusal, type Setup } from './gate/checks.ts'
import { findCommand } from './gate/command-calls.ts'
import { type JudgedCommand, judgeCommandCall } from './gate/commands.ts'
import { evaluate, type Step } from './gate/evaluate.ts'
import { judgeMethodName } from './gate/methods.ts'
import { createRoles, type RoleOptions, type Roles } from './gate/roles.ts'
import { allow, deny, describePolicy, type Subject } from './gate/verdicts.ts'
import { normalizeName } from './names.ts'
import { createPathGuard } from './paths/guard.ts'
import { nodePlatform } from './paths/node-platform.ts'
import type { Platform } from './paths/place.ts'
import { createSelfGuard } from './paths/self-guard.ts'
import type { Policy } from './policy/types.ts'
import type { Profile } from './profiles.ts'
import { createTokenBuckets } from './rate.ts'

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

interface Judge {
  readonly setup: Setup
  readonly roles: Roles | undefined
  /** Whether commands are looked at: where there is something of ours to protect, or roles. */
  readonly judgesCommands: boolean
  readonly rateScope: RateScope
  readonly reserve: ReserveFn
}

/** @throws TypeError when `profile` is not the one that the policy was loaded with, or budgets are set without `reserve` */
export function createGate(options: GateOptions): Gate {
  const { policy } = options
  const judge = toJudge(options)
  const { setup } = judge
  return {
    policy: describePolicy(policy),
    judgeMethod: (method) => judgeMethod(setup, String(method)),
    judge: (action) => judgeAction(judge, action),
    ...createInspection({ rules: policy?.dlp, profile: setup.profile, now: options.now, key: options.maskKey }),
    ...(judge.roles && { charge: judge.roles.charge, budget: judge.roles.budget }),
  }
}

/** What the gate would say about a tool call: a step per check that ran, then the verdict. Every rate and budget counts as granted. */
export async function explain(action: Action, options: GateOptions): Promise<readonly Step[]> {
  const steps: Step[] = []
  const judge = toJudge(options)
  const call = await toCase(judge, action, undefined)
  evaluate(call, toSubject(judge.setup, action), (step) => steps.push(step))
  return steps
}

function toJudge(options: GateOptions): Judge {
  const profile = options.profile ?? options.policy?.profile ?? 'strict'
  if (options.policy && options.policy.profile !== profile) throw new TypeError('the profile that the policy was loaded with was expected')
  const shared = profile === 'strict' && options.rateScope !== 'process' ? options.reserve : undefined
  const platform = options.platform ?? nodePlatform()
  return {
    setup: toSetup(options, profile, platform),
    roles: toRoles(options, platform),
    judgesCommands: options.roles !== undefined || (options.selfProtected ?? []).length > 0,
    rateScope: options.rateScope ?? 'ledger',
    reserve: shared ?? createTokenBuckets(options.now ?? (() => performance.now())),
  }
}

function toSetup({ policy, selfProtected = [], monitorBlockRules }: GateOptions, profile: Profile, platform: Platform): Setup {
  const paths = createPathGuard({ paths: policy?.protectedPaths ?? [], selfProtected, profile, platform })
  return { policy, profile, paths, self: createSelfGuard(selfProtected, platform), blockInMonitor: monitorBlockRules !== 'report' }
}

function toRoles({ roles, reserve, clock }: GateOptions, platform: Platform): Roles | undefined {
  if (!roles) return undefined
  const limited = [...roles.directory.roles.values()].some(({ limits }) => limits.length > 0)
  if (limited && !reserve) throw new TypeError('budgets are counted at the ledger: reserve was expected')
  const counted = reserve ?? (() => Promise.reject(new TypeError('nothing is counted here')))
  return createRoles({ options: roles, platform, reserve: counted, clock: clock ?? Date.now })
}

function toSubject({ policy }: Setup, action: Action): Subject {
  return { policy, called: { tool: String(action.name) } }
}

function judgeMethod({ policy, profile }: Setup, method: string): Verdict {
  const subject = { policy, called: { method } }
  const { allowed, rule } = judgeMethodName(method, policy, profile)
  if (!allowed) return deny(subject, methodRefusal(rule))
  return policy ? allow(subject, 'matched_rule', 'Method is allowed', rule) : allow(subject, 'default_allow', 'No policy is set')
}

/** Hostile input: an action that cannot be read is malformed, and denied. */
async function judgeAction(judge: Judge, action: Action): Promise<Verdict> {
  const { setup } = judge
  try {
    if (action.kind !== 'tool') return judgeOther(setup, action)
    const reservation = await takeRate(judge, action)
    const call = await toCase(judge, action, reservation)
    const subject = toSubject(setup, action)
    const verdict = evaluate(call, subject)
    return call.role && judge.roles ? await judge.roles.settle(subject, call.role.who, action.ids, verdict) : verdict
  } catch {
    const reason = 'The call cannot be read'
    const subject = { policy: setup.policy, called: { tool: '' } }
    return deny(subject, { rpc: 'forbidden', reasonCode: 'malformed_request', reason, data: { reason } })
  }
}

/** An AgentPolicy speaks about tools, methods and paths; of other actions only the latter two are judged. */
function judgeOther(setup: Setup, action: Action): Verdict {
  const subject = toSubject(setup, action)
  if (action.rpc) {
    const verdict = judgeMethod(setup, String(action.rpc.method))
    if (verdict.decision !== 'allow') return verdict
  }
  const refusal = pathRefusal(setup.paths, [action.name, action.input])
  return refusal ? deny(subject, refusal) : allow(subject, 'default_allow', `No rule is about a ${action.kind}`)
}

async function toCase({ setup, roles, judgesCommands }: Judge, action: Action, reservation: Case['reservation']): Promise<Case> {
  const tool = normalizeName(String(action.name), setup.profile)
  const { input } = action
  const method = String(action.rpc?.method ?? 'tools/call')
  const who = roles?.whoOf(action.ids)
  const found = judgesCommands ? findCommand(tool, input, roles?.commandTools ?? NO_TOOLS) : undefined
  const command: JudgedCommand | undefined = found && (await judgeCommandCall(found, who?.role?.commands))
  const role = who && roles?.judge.about(who, { tool, input, command })
  return { setup, tool, rule: setup.policy?.rules.get(tool), method, input, reservation, command, role }
}

const NO_TOOLS: ReadonlyMap<string, readonly string[]> = new Map()

/** A counter that fails is no reason to stop counting: the call is refused. */
async function takeRate({ setup, rateScope, reserve }: Judge, action: Action): Promise<Reservation | 'unavailable' | undefined> {
  const tool = normalizeName(String(action.name), setup.profile)
  const rule = setup.policy?.rules.get(tool)
  if (!rule?.rate) return undefined
  const scope =
    rateScope === 'session' ? `session:${action.ids.session ?? ''}:` : rateScope === 'user' ? `user:${action.ids.user ?? ''}:` : ''
  try {
    return await reserve({ key: `rate:${scope}${tool}`, amount: 1, ...rule.rate })
  } catch {
    return 'unavailable'
  }
}
