/**
 * Cases for a policy: calls with the verdict that is expected of them, for `sworn policy test`.
 *
 * Each case has a gate of its own, so that no rate runs from one to the next. Source: docs/reference/policy.md.
 * @module
 */
import { type Action, SwornError, type Verdict } from '@sworn/recorder'
import { z } from 'zod'
import type { GateOptions } from '../gate/setup.ts'
import { createGate } from '../gate.ts'
import type { Policy } from './types.ts'
import { parseYaml } from './yaml.ts'

const text = z.string().min(1).max(1024)

const expected = z.strictObject({
  decision: z.enum(['allow', 'deny', 'ask']),
  reason_code: text.optional(),
  rule: text.optional(),
  violation: z.boolean().optional(),
})

const oneCase = z
  .strictObject({
    name: text.optional(),
    tool: text.optional(),
    method: text.optional(),
    arguments: z.record(z.string(), z.unknown()).optional(),
    times: z.int().min(1).max(1000).default(1),
    expect: z.union([expected.shape.decision.transform((decision) => ({ decision })), expected]),
  })
  .refine(({ tool, method }) => (tool === undefined) !== (method === undefined))

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
    'a case was expected: tool with arguments, or method; expect: allow, deny or ask, or {decision, reason_code, rule, violation}'
  throw new SwornError('POLICY_INVALID', message, parsed.place(path))
}

/** In the order of the file. @param options what the gate has besides the policy */
export async function runCases(
  policy: Policy,
  cases: readonly PolicyCase[],
  options: Omit<GateOptions, 'policy'> = {},
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  for (const one of cases) results.push(toResult(one, await judgeCase(one, { ...options, policy })))
  return results
}

/** The verdict on the last of the calls. */
async function judgeCase({ tool, method, arguments: input, times }: PolicyCase, options: GateOptions): Promise<Verdict> {
  const gate = createGate(options)
  if (tool === undefined) return gate.judgeMethod(method ?? '')
  const action: Action = { kind: 'tool', name: tool, input: input ?? {}, ids: {}, rpc: { method: 'tools/call' } }
  for (let n = 1; n < times; n++) await gate.judge(action)
  return gate.judge(action)
}

function toResult({ name, tool, method, expect }: PolicyCase, verdict: Verdict): CaseResult {
  const { decision, reasonCode, matchedRule, violation, reason } = verdict
  const found: Readonly<Record<string, unknown>> = { decision, reason_code: reasonCode, rule: matchedRule, violation }
  const wrong = Object.entries(expect).filter(([member, value]) => value !== undefined && found[member] !== value)
  const diff = wrong.flatMap(([member, value]) => [`- ${member}: ${value}`, `+ ${member}: ${found[member] ?? 'none'}`])
  const why = diff.length > 0 ? [`  because: ${reason}`] : []
  return { name: name ?? tool ?? method ?? '', ok: diff.length === 0, diff: [...diff, ...why] }
}
