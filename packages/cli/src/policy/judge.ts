/** `sworn policy check`, `explain`, `test`. @module */
import { explain, type Policy } from '@sworn/govern'
import { createMemoryCounters, explainPolicy, type FoundDifference, findDifferences, parseCases, runCases } from '@sworn/govern/policy'
import { SwornError } from '@sworn/verify'
import type { ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import {
  missing,
  type PolicyOptions,
  print,
  type ReadPolicy,
  readDescribed,
  readPolicy,
  readRoles,
  readSource,
  readSurroundings,
  type Source,
} from './read.ts'

type Args = readonly string[]

export async function checkPolicy([file]: Args, options: PolicyOptions, io: Io): Promise<ExitCode> {
  const { policy, source, signers } = await readPolicy(file, options, io)
  const roles = await readRoles(file, options, io)
  const lines = [...explainPolicy(policy), ...(roles ? (await import('@sworn/govern/roles')).explainRoles(roles.directory) : [])]
  const differences = differencesOf(source, signers)
  if (options.json) await print({ ok: true, policy: lines, differences }, io)
  else await print([...lines, ...(Array.isArray(differences) ? differences.flatMap(describe) : [String(differences)])], io)
  return 0
}

/** What `aip-compat` refuses altogether is one difference. */
function differencesOf(source: Source, signers: ReadPolicy['signers']): readonly FoundDifference[] | string {
  try {
    return findDifferences(source, signers)
  } catch (e) {
    if (!SwornError.is(e, 'POLICY_INVALID')) throw e
    return `aip-compat refuses this policy: ${e.message}`
  }
}

function describe({ topic, strict, compat, at }: FoundDifference): readonly string[] {
  return [`profiles differ: ${topic} (${at.join(', ')})`, `  strict: ${strict}; aip-compat: ${compat}`]
}

export async function explainCall([file, tool, input]: Args, options: PolicyOptions, io: Io): Promise<ExitCode> {
  if (!tool) return missing('explain FILE TOOL [JSON] was expected')
  const { policy, source } = await readPolicy(file, options, io)
  const roles = await readRoles(file, options, io)
  const described = readDescribed(options, io)?.get(tool)
  const around = { ...(await readSurroundings(source, options, io)), ...(roles && { roles }) }
  const rpc = { method: 'tools/call' }
  const call = { kind: 'tool', name: tool, input: parseInput(input), ids: {}, ...(described && { described }), rpc } as const
  const reserve = createMemoryCounters(() => 0).reserve
  const steps = [...toTokenStep(policy), ...(await explain(call, { policy, reserve, ...around }))]
  const ok = steps.at(-1)?.outcome === 'allows'
  await print(options.json ? { ok, steps } : steps.map(({ step, outcome, detail }) => `${step} ${outcome} ${detail}`.trimEnd()), io)
  return ok ? 0 : 1
}

/** A token counts as presented, as every rate counts as granted. */
function toTokenStep({ identity }: Policy): readonly { step: string; outcome: string; detail: string }[] {
  return identity?.requireToken
    ? [{ step: 'identity', outcome: 'passes', detail: 'a token is required, and counts as presented here' }]
    : []
}

function parseInput(text: string | undefined): unknown {
  if (text === undefined) return {}
  try {
    return JSON.parse(text)
  } catch {
    throw new SwornError('USAGE', 'the arguments of the call were expected as JSON')
  }
}

export async function testPolicy([file, cases]: Args, options: PolicyOptions, io: Io): Promise<ExitCode> {
  if (cases === undefined) return missing('test FILE CASES was expected')
  const { policy, source } = await readPolicy(file, options, io)
  const roles = await readRoles(file, options, io)
  const around = { ...(await readSurroundings(source, options, io)), ...(roles && { roles }) }
  const results = await runCases(policy, parseCases(readSource(cases, io)), { ...around, tools: readDescribed(options, io) })
  const failed = results.filter(({ ok }) => !ok).length
  const lines = results.flatMap(({ name, ok, diff }) => [`${ok ? 'ok    ' : 'not ok'} ${name}`, ...diff.map((line) => `       ${line}`)])
  await print(options.json ? { ok: failed === 0, results } : [...lines, `${results.length} cases, ${failed} failed`], io)
  return failed === 0 ? 0 : 1
}
