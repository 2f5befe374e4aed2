/**
 * Runs the checks over one tool call, and can tell what each of them said.
 *
 * Pure. The trace is made by the same run that decides, so an explanation cannot differ from the decision.
 * @module
 */
import type { Verdict } from '@sworn/recorder'
import type { Platform } from '../paths/place.ts'
import { type Case, CHECKS, type Ruling, type Setup, type StepName } from './checks.ts'
import { toOpenTargets } from './commands.ts'
import { checksOut } from './readers.ts'
import { allow, allowViolation, ask, deny, type Refusal, type Subject } from './verdicts.ts'

/** What one check said about one call. */
export interface Step {
  readonly step: StepName | 'who' | 'approval' | 'mode' | 'budget' | 'verdict'
  readonly outcome: 'passes' | 'violates' | 'denies' | 'allows' | 'asks'
  readonly detail: string
}

const ROLE_STEPS: ReadonlySet<StepName> = new Set(['role', 'command', 'role_path'])

/** @param trace receives one step per check that ran, then the verdict */
export function evaluate(call: Case, subject: Subject, trace?: (step: Step) => void): Verdict {
  const softens = call.setup.policy?.mode === 'monitor'
  let violation: Refusal | undefined
  for (const [step, check] of CHECKS) {
    if (call.role === undefined && ROLE_STEPS.has(step)) continue
    const ruling = check(call)
    trace?.(toStep(step, ruling, softens))
    if (!ruling) continue
    if (ruling.hard || !softens) return concluded(deny(subject, ruling.refusal), trace)
    violation ??= ruling.refusal
    if (call.setup.profile === 'aip-compat') break // the reference stops at the first violation
  }
  return concluded(toVerdict(call, subject, violation, trace), trace)
}

function toStep(step: StepName, ruling: Ruling | undefined, softens: boolean): Step {
  if (!ruling) return { step, outcome: 'passes', detail: '' }
  const outcome = ruling.hard || !softens ? 'denies' : 'violates'
  return { step, outcome, detail: ruling.refusal.reason }
}

function concluded(verdict: Verdict, trace?: (step: Step) => void): Verdict {
  const outcome = ({ allow: 'allows', deny: 'denies', ask: 'asks' } as const)[verdict.decision]
  trace?.({ step: 'verdict', outcome, detail: `${verdict.reasonCode}: ${verdict.reason}` })
  return verdict
}

function toVerdict(call: Case, subject: Subject, violation: Refusal | undefined, trace: ((step: Step) => void) | undefined): Verdict {
  const verdict = policyVerdict(call, subject, violation)
  const asked = verdict.decision === 'allow' ? (call.role?.asks() ?? openTarget(call)) : undefined
  const wanted = asked ? ask(subject, asked.reason, asked.rule) : verdict
  const isAsked = wanted.decision === 'ask'
  trace?.({ step: 'approval', outcome: isAsked ? 'asks' : 'passes', detail: isAsked ? `${wanted.matchedRule}: ${wanted.reason}` : '' })
  if (!call.role?.isDryRun) return wanted
  trace?.({ step: 'mode', outcome: 'denies', detail: 'dry_run: nothing is executed' })
  return dryRun(subject, wanted)
}

/** A call that writes where only running it would tell: it may be what records the agent. */
function openTarget({ setup, tool, input, command, disk }: Case): { readonly reason: string; readonly rule: string } | undefined {
  const path = command ? setup.self.findOpen(toOpenTargets(command), disk) : checksOut(tool) ? findBelow(setup, input, disk) : undefined
  return path === undefined ? undefined : { reason: `Only running it would tell what is written: ${path.slice(0, 80)}`, rule: 'self' }
}

/** What protects itself and lies below a folder that the call names. */
function findBelow({ paths }: Setup, input: unknown, disk: Platform): string | undefined {
  const hit = paths.find(input, disk, { takesAll: true })
  return hit?.rule === 'self' ? hit.path : undefined
}

/** Says what would have happened. */
function dryRun(subject: Subject, { decision, reason, matchedRule }: Verdict): Verdict {
  const would = decision === 'ask' ? 'asked about' : 'allowed'
  const data = { reason: `Dry run: not executed, it would be ${would}` }
  const said = `dry run: it would be ${would} (${reason})`
  const rule = matchedRule === undefined ? {} : { matchedRule }
  return {
    ...deny(subject, { rpc: 'forbidden', reasonCode: 'dry_run', reason: said, ...rule, data }),
    violation: false,
    policyMode: 'dry_run',
  }
}

function policyVerdict({ setup, rule, role }: Case, subject: Subject, violation: Refusal | undefined): Verdict {
  const stops = violation !== undefined && setup.profile === 'aip-compat'
  if (rule?.action === 'ask' && !stops) return ask(subject, 'A rule asks for approval', `tool_rules.${rule.index}`)
  if (violation) return allowViolation(subject, violation)
  if (rule) return allow(subject, 'matched_rule', 'A rule allows the tool', `tool_rules.${rule.index}`)
  if (setup.policy) return allow(subject, 'matched_allowed_tools', 'Tool is in allowed_tools list', 'allowed_tools')
  if (role) return allow(subject, 'matched_allowed_tools', 'Tool is allowed for this role', `roles.${role.who.role?.name}.allowed_tools`)
  return allow(subject, 'default_allow', 'No policy is set')
}
