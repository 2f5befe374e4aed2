/**
 * The gate: an action and a policy to a verdict.
 *
 * Never throws and always answers: what cannot be judged is denied. Rates are taken before anything else
 * is looked at, also for calls that are denied later. Source: spec policy §6.2, design "decide".
 * @module
 */
import type { Action, Gate, Reservation, Verdict } from '@sworn/recorder'
import { createInspection } from './dlp/inspect.ts'
import { type Case, methodRefusal, pathRefusal, type Setup } from './gate/checks.ts'
import { findCommand } from './gate/command-calls.ts'
import { type JudgedCommand, judgeCommandCall } from './gate/commands.ts'
import { evaluate, type Step } from './gate/evaluate.ts'
import { judgeMethodName } from './gate/methods.ts'
import { type GateOptions, type Judge, toJudge } from './gate/setup.ts'
import { allow, deny, describePolicy, type Subject } from './gate/verdicts.ts'
import { normalizeName } from './names.ts'

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
  return { setup, tool, rule: setup.policy?.rules.get(tool), method, input, described: action.described, reservation, command, role }
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
