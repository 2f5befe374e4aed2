/**
 * The gate: an action and a policy to a verdict.
 *
 * Never throws and always answers: what cannot be judged is denied. Rates are taken before anything else
 * is looked at, also for calls that are denied later. Source: spec policy §6.2, design "decide".
 * @module
 */
import type { Action, Gate, Reservation, Verdict } from '@sworn/recorder'
import { counterName } from './counter-name.ts'
import { createInspection } from './dlp/inspect.ts'
import { type Case, methodRefusal, pathRefusal, type Setup, withoutTampering } from './gate/checks.ts'
import { findCommand } from './gate/command-calls.ts'
import { judgeCommandCall } from './gate/commands.ts'
import { createDeadline, isTooLong } from './gate/deadline.ts'
import { evaluate, type Step } from './gate/evaluate.ts'
import { judgeListed } from './gate/listed.ts'
import { judgeMethodName } from './gate/methods.ts'
import { type GateOptions, type Judge, toJudge } from './gate/setup.ts'
import { allow, deny, describePolicy, type Subject } from './gate/verdicts.ts'
import { normalizeName } from './names.ts'
import { lookOnce, type Platform } from './paths/place.ts'
import { describeLimit, describeRole, explainWho } from './roles/explain.ts'

/** @throws TypeError when `profile` is not the one that the policy was loaded with, or budgets are set without `reserve` */
export function createGate(options: GateOptions): Gate {
  const { policy } = options
  const judge = toJudge(options)
  const { setup } = judge
  return {
    policy: describePolicy(policy),
    judgeMethod: (method) => judgeMethod(setup, String(method)),
    judge: (action) => judgeAction(judge, action),
    judgeListed: (tool) => judgeListed(setup, tool),
    ...createInspection({ rules: policy?.dlp, profile: setup.profile, now: options.now, key: options.maskKey }),
    ...(judge.roles && { charge: judge.roles.charge, meters: judge.roles.meters, budget: judge.roles.budget }),
  }
}

/** What the gate would say about a tool call: a step per check that ran, then the verdict. Every rate and budget counts as granted. */
export async function explain(action: Action, options: GateOptions): Promise<readonly Step[]> {
  const judge = toJudge(options)
  const call = await toCase(judge, action, undefined)
  const { who } = call.role ?? {}
  const steps: Step[] = who ? [{ step: 'who', outcome: 'passes', detail: explainWho(who) }] : []
  const facts: Readonly<Record<string, string>> = { schema_hash: compareHashes(call), ...(who?.role && describeRole(who.role)) }
  const { decision } = evaluate(call, toSubject(judge.setup, action), (step) => {
    const detail = [step.detail, facts[step.step] ?? ''].filter((part) => part !== '').join('; ')
    steps.push({ ...step, detail })
  })
  const limits = decision === 'deny' ? [] : (who?.role?.limits ?? [])
  const budgets: Step[] = limits.map((limit) => ({
    step: 'budget',
    outcome: 'passes',
    detail: `${describeLimit(limit)}, counted at the ledger`,
  }))
  return [...steps.slice(0, -1), ...budgets, ...steps.slice(-1)]
}

function compareHashes({ rule, described }: Case): string {
  if (rule?.schemaHash === undefined) return ''
  const [algorithm] = rule.schemaHash.split(':')
  const found = described?.find((hash) => hash.startsWith(`${algorithm}:`))
  return `the policy names ${rule.schemaHash}, ${found === undefined ? 'nothing describes the tool' : `it is described as ${found}`}`
}

function toSubject({ policy }: Setup, { kind, name, rpc }: Action): Subject {
  return { policy, called: kind === 'tool' || !rpc ? { tool: String(name) } : { method: String(rpc.method) } }
}

function judgeMethod({ policy, profile }: Setup, method: string): Verdict {
  const subject = { policy, called: { method } }
  const { allowed, rule } = judgeMethodName(method, policy, profile)
  if (!allowed) return deny(subject, methodRefusal(rule))
  return policy ? allow(subject, 'matched_rule', 'Method is allowed', rule) : allow(subject, 'default_allow', 'No policy is set')
}

/** Hostile input: an action that cannot be read, or not within its time, is malformed, and denied. */
async function judgeAction(judge: Judge, action: Action): Promise<Verdict> {
  const { setup } = judge
  try {
    if (action.kind !== 'tool') return judgeOther(judge, action)
    const { reservation, rate } = await takeRate(judge, action)
    const call = await toCase(judge, action, reservation)
    const subject = toSubject(setup, action)
    const verdict = evaluate(call, subject)
    const settled = call.role && judge.roles ? await judge.roles.settle(subject, call.role.who, action.ids, verdict) : verdict
    return rate === undefined ? settled : { ...settled, rate }
  } catch (e) {
    const reason = isTooLong(e) ? 'The call takes too long to judge' : 'The call cannot be read'
    const subject = { policy: setup.policy, called: { tool: '' } }
    return deny(subject, { rpc: 'forbidden', reasonCode: 'malformed_request', reason, data: { reason } })
  }
}

/** An AgentPolicy speaks about tools, methods and paths; of other actions only the latter two are judged. */
/** Requests of MCP that have no effect but their answer. */
const READS = /^(?:resources|prompts|completion)\//

/** A role's paths hold wherever paths are named; its other rules are about tools. */
function judgeOther(judge: Judge, action: Action): Verdict {
  const { setup, roles } = judge
  const subject = toSubject(setup, action)
  const { name, input, ids, rpc } = action
  const method = String(rpc?.method ?? '')
  if (rpc) {
    const verdict = judgeMethod(setup, method)
    if (verdict.decision !== 'allow') return verdict
  }
  const disk = lookOnce(toTimed(judge))
  const found = pathRefusal(setup.paths, input, disk) ?? pathRefusal(setup.paths, name, disk)
  if (found) return deny(subject, READS.test(method) ? withoutTampering(found) : found)
  const role =
    action.kind === 'resource'
      ? roles?.judge.about(roles.whoOf(ids), { tool: '', input: [name, input], command: undefined, disk })
      : undefined
  const refusal = role?.places()
  return refusal ? deny(subject, refusal) : allow(subject, 'default_allow', `No rule is about a ${action.kind}`)
}

/** The disk for one judgement, with its time. */
function toTimed({ setup, clock }: Judge): Platform {
  return { ...setup.platform, checkTime: createDeadline(clock) }
}

async function toCase(judge: Judge, action: Action, reservation: Case['reservation']): Promise<Case> {
  const { setup, roles, judgesCommands, loadCommands } = judge
  const tool = normalizeName(String(action.name), setup.profile)
  const { input } = action
  const method = String(action.rpc?.method ?? 'tools/call')
  const who = roles?.whoOf(action.ids)
  const found = judgesCommands ? findCommand(tool, input, roles?.commandTools ?? NO_TOOLS) : undefined
  const timed = toTimed(judge)
  const command = found && judgeCommandCall(found, { commands: await loadCommands(), rules: who?.role?.commands, disk: timed })
  const disk = lookOnce(timed)
  const role = who && roles?.judge.about(who, { tool, input, command, disk })
  const { described, redescribed = false } = action
  return { setup, tool, rule: setup.policy?.rules.get(tool), method, input, disk, described, redescribed, reservation, command, role }
}

const NO_TOOLS: ReadonlyMap<string, readonly string[]> = new Map()

/** `rate`: the counter that granted it, for the record. */
interface Rated {
  readonly reservation?: Reservation | 'unavailable' | undefined
  readonly rate?: string
}

/** A counter that fails is no reason to stop counting: the call is refused. */
async function takeRate({ setup, rateScope, reserve, sharesRates }: Judge, { name, ids }: Action): Promise<Rated> {
  const tool = normalizeName(String(name), setup.profile)
  const rule = setup.policy?.rules.get(tool)
  if (!rule?.rate) return {}
  const sharer = rateScope === 'session' ? ids.session : rateScope === 'user' ? ids.user : undefined
  const key = counterName(`rate.${rateScope}`, [tool, sharer])
  try {
    const reservation = await reserve({ key, amount: 1, ...rule.rate })
    return { reservation, ...(reservation.granted && sharesRates && { rate: key }) }
  } catch {
    return { reservation: 'unavailable' }
  }
}
