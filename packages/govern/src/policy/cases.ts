/**
 * Cases for a policy: calls with the verdict that is expected of them, for `sworn policy test`.
 *
 * Each case has a gate of its own, so that no rate runs from one to the next. Source: docs/reference/policy.md.
 * @module
 */
import { type Action, SwornError, type Verdict } from '@sworn/recorder'
import { z } from 'zod'
import type { GateOptions } from '../gate/setup.ts'
import { createGate, explain } from '../gate.ts'
import { createMemoryCounters } from '../rate.ts'
import type { ExecutionMode } from '../roles/types.ts'
import { findWho, inRole } from '../roles/who.ts'
import type { DescribedTools } from './tools.ts'
import type { Policy } from './types.ts'
import { parseYaml } from './yaml.ts'

const text = z.string().min(1).max(1024)

const expected = z.strictObject({
  decision: z.enum(['allow', 'deny', 'ask']),
  reason_code: text.optional(),
  rule: text.optional(),
  violation: z.boolean().optional(),
  role: text.optional(),
  mode: z.enum(['autonomous', 'supervised', 'dry_run']).optional(),
  approval: z.boolean().optional(),
})

const oneCase = z
  .strictObject({
    name: text.optional(),
    tool: text.optional(),
    method: text.optional(),
    user: text.optional(),
    role: text.optional(),
    arguments: z.record(z.string(), z.unknown()).optional(),
    times: z.int().min(1).max(1000).default(1),
    expect: z.union([expected.shape.decision.transform((decision) => ({ decision })), expected]),
  })
  .refine(({ tool, method }) => (tool === undefined) !== (method === undefined))
  .refine(({ user, role }) => user === undefined || role === undefined)

const file = z.strictObject({ cases: z.array(oneCase).min(1).max(10_000) })

export type PolicyCase = z.infer<typeof oneCase>

export interface CaseResult {
  readonly name: string
  readonly ok: boolean
  /** One line a member that differs: `- member: expected`, `+ member: found`. Empty when it holds. */
  readonly diff: readonly string[]
}

/** @throws SwornError POLICY_INVALID at `name:line:column path` */
export function parseCases(source: { readonly text: string; readonly name: string }): readonly PolicyCase[] {
  const parsed = parseYaml(source.text, source.name)
  const read = file.safeParse(parsed.value)
  if (read.success) return read.data.cases
  const { path } = read.error.issues[0]!
  const message =
    'a case was expected: tool with arguments, or method; user or role; expect: allow, deny or ask, or {decision, reason_code, rule, violation, role, mode, approval}'
  throw new SwornError('POLICY_INVALID', message, parsed.place(path))
}

export interface CaseOptions extends Omit<GateOptions, 'policy' | 'reserve' | 'now' | 'clock'> {
  /** Absent: every tool counts as not described. */
  readonly tools?: DescribedTools | undefined
}

/**
 * In the order of the file. Time stands still within a case.
 * @throws SwornError POLICY_INVALID when a case names a user or a role, and there are no roles
 */
export async function runCases(policy: Policy, cases: readonly PolicyCase[], options: CaseOptions = {}): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  for (const one of cases) results.push(toResult(one, await judgeCase(one, policy, options)))
  return results
}

/** What is known after the last of the calls. */
interface Found {
  readonly verdict: Verdict
  readonly mode?: ExecutionMode | undefined
  readonly approval: boolean
}

async function judgeCase(
  { tool, method, arguments: input, times, user, role }: PolicyCase,
  policy: Policy,
  given: CaseOptions,
): Promise<Found> {
  const { tools, roles, ...rest } = given
  const acting = roles && (role === undefined ? roles : { ...roles, directory: inRole(roles.directory, role) })
  if (!acting && (user ?? role) !== undefined)
    throw new SwornError('POLICY_INVALID', 'a case names a user or a role, and no file of roles was given')
  const { reserve } = createMemoryCounters(() => 0)
  const options: GateOptions = { ...rest, policy, reserve, clock: () => 0, ...(acting && { roles: acting }) }
  const gate = createGate(options)
  if (tool === undefined) return { verdict: gate.judgeMethod(method ?? ''), approval: false }
  const described = tools?.get(tool)
  const ids = { session: 'case', ...(user !== undefined && { user }) }
  const action: Action = {
    kind: 'tool',
    name: tool,
    input: input ?? {},
    ids,
    ...(described && { described }),
    rpc: { method: 'tools/call' },
  }
  for (let n = 1; n < times; n++) await gate.judge(action)
  const steps = await explain(action, options)
  const who = acting && findWho(acting.directory, { ...acting, user: user ?? acting.user })
  const approval = steps.some(({ step, outcome }) => step === 'approval' && outcome === 'asks')
  return { verdict: await gate.judge(action), mode: who?.role?.mode, approval }
}

function toResult({ name, tool, method, expect }: PolicyCase, { verdict, mode, approval }: Found): CaseResult {
  const { decision, reasonCode, matchedRule, violation, reason, role } = verdict
  const found: Readonly<Record<string, unknown>> = { decision, reason_code: reasonCode, rule: matchedRule, violation, role, mode, approval }
  const wrong = Object.entries(expect).filter(([member, value]) => value !== undefined && found[member] !== value)
  const diff = wrong.flatMap(([member, value]) => [`- ${member}: ${value}`, `+ ${member}: ${found[member] ?? 'none'}`])
  const why = diff.length > 0 ? [`  because: ${reason}`] : []
  return { name: name ?? tool ?? method ?? '', ok: diff.length === 0, diff: [...diff, ...why] }
}
