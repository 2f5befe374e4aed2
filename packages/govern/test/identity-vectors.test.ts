/** AIP's conformance vectors, levels identity and server, in `aip-compat`: sequences, processes and HTTP. docs/decisions/aip-vectors.md: how they are read. @module */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { IssuedToken } from '../src/identity/index.ts'
import {
  type Called,
  createWorld,
  type Engine,
  fill,
  type HttpRequest,
  type Input,
  type Json,
  match,
  readPolicy,
  type World,
} from './support/aip-world.ts'

interface Step {
  action?: 'call' | 'issue_token' | 'use_token' | 'replay_token' | 'get_valid_token' | 'wait' | 'load_policy'
  step?: 'issue_token' | 'change_policy' | 'use_old_token'
  process?: string
  policy?: string
  wait?: string
  duration?: string
  input?: Input
  http_request?: HttpRequest
  capture?: Readonly<Record<string, string>>
  expected?: Json
}

interface Vector extends Step {
  id: string
  description: string
  test_type?: string
  sequence?: Step[]
  steps?: Step[]
  setup?: Step[]
  tests?: Step[]
  policy_sequence?: (Step & { name?: string; content?: string })[]
  policies?: { name: string; content: string }[]
}

const FILES = {
  'identity/tokens.yaml': 12,
  'identity/validation.yaml': 11,
  'server/authentication.yaml': 11,
  'server/endpoints.yaml': 13,
}

const root = process.env.SWORN_VECTORS ?? fileURLToPath(new URL('../../../../shared/vectors', import.meta.url))
const folder = join(root, 'aip')
const absent = !existsSync(folder)
if (absent) console.error('SKIPPED: the AIP vectors are not here (set SWORN_VECTORS to their folder)')

if (absent) test('AIP vectors, levels identity and server', { skip: 'the shared vectors are not here' })
else
  describe('AIP conformance of identity and server in aip-compat', () => {
    const total = Object.values(FILES).reduce((sum, count) => sum + count, 0)
    let passed = 0
    for (const [file, count] of Object.entries(FILES)) {
      const vectors: Vector[] = parse(readFileSync(join(folder, file), 'utf8')).tests
      test(`${file} holds ${count} vectors`, () => assert.equal(vectors.length, count))
      for (const vector of vectors) {
        test(`${file} ${vector.id}: ${vector.description}`, async () => {
          await runVector(vector)
          passed++
        })
      }
    }
    after(() => {
      console.error(`AIP vectors, identity and server: ${passed} of ${total}`)
      assert.equal(passed, total, 'vectors that passed')
    })
  })

const KNOWN = new Set(
  'id description policy input expected sequence steps setup tests policy_sequence policies http_request test_type note'.split(' '),
)

async function runVector(vector: Vector): Promise<void> {
  for (const key of Object.keys(vector)) assert.ok(KNOWN.has(key), `the runner knows ${key}`)
  const world = createWorld()
  if (vector.policies) return checkHashes(vector.policies, vector.expected ?? {})
  if (vector.test_type === 'context_change') return checkContext(world, vector.policy ?? '')
  if (vector.policy_sequence) return runPolicies(world, vector)
  const steps = vector.sequence ?? vector.steps ?? vector.tests ?? [vector]
  await runSteps(world, vector.policy ?? '', [...(vector.setup ?? []), ...steps])
}

/** One engine per named process; labels for tokens in the order in which they appear. */
async function runSteps(world: World, policy: string, steps: readonly Step[]): Promise<void> {
  const engines = new Map<string, Engine>()
  const engineOf = (name = 'A'): Engine => {
    const engine = engines.get(name) ?? world.start(policy, name.charCodeAt(0))
    engines.set(name, engine)
    return engine
  }
  const seen: IssuedToken[] = []
  for (const step of steps) await runStep(world, engineOf(step.process), step, seen)
}

async function runStep(world: World, engine: Engine, step: Step, seen: IssuedToken[]): Promise<void> {
  world.wait(step.wait ?? step.duration ?? '0s')
  if (step.action === 'wait') return
  if (step.action === 'issue_token' || step.action === 'get_valid_token') return capture(world, step, await engine.issue())
  if (step.http_request) return checkHttp(world, engine, step.http_request, step.expected ?? {})
  const called = await engine.call(await inputOf(world, engine, step))
  if (called.issued && !seen.some(({ id }) => id === called.issued?.id)) seen.push(called.issued)
  if (called.issued) capture(world, step, called.issued)
  await checkCall(world, engine, called, step.expected ?? {}, seen)
}

/** A step without a call of its own calls a tool that the policy allows. */
async function inputOf(world: World, engine: Engine, { input }: Step): Promise<Input> {
  const [tool = ''] = engine.policy().allowedTools
  if (input?.token?.includes('VALID_TOKEN')) world.names.set('VALID_TOKEN', (await engine.issue()).text)
  return { method: 'tools/call', tool, args: {}, ...input }
}

function capture(world: World, { capture: wanted = {} }: Step, issued: IssuedToken): void {
  const values: Readonly<Record<string, string>> = { token: issued.text, session_id: issued.sessionId }
  for (const [what, name] of Object.entries(wanted)) world.names.set(name, values[what] ?? assert.fail(`the runner captures ${what}`))
}

const DECISIONS = { allow: 'ALLOW', deny: 'BLOCK', ask: 'ASK' } as const

async function checkCall(
  world: World,
  engine: Engine,
  { verdict, issued }: Called,
  expected: Json,
  seen: readonly IssuedToken[],
): Promise<void> {
  const told = verdict.decision === 'deny' ? verdict.rpcError : undefined
  const checks: Readonly<Record<string, (value: unknown) => unknown>> = {
    decision: (value) => assert.equal(DECISIONS[verdict.decision], value),
    error_code: (value) => assert.equal(told?.code, value),
    error_message: (value) => assert.equal(told?.message, value),
    token_error: (value) => assert.equal(told?.data?.token_error, value),
    token_generated: (value) => assert.equal(issued !== undefined, value),
    token_fields: (value) =>
      match(
        Object.fromEntries((value as string[]).map((name) => [name, name in (issued?.claims ?? {})])),
        Object.fromEntries((value as string[]).map((name) => [name, true])),
      ),
    token: (value) => checkToken(engine, issued, value as Json),
    token_id: (value) => assert.equal(`token-${seen.findIndex(({ id }) => id === issued?.id) + 1}`, value),
    session_preserved: (value) => assert.equal(new Set(seen.map(({ sessionId }) => sessionId)).size === 1, value),
    session_id: (value) => assert.equal(issued?.sessionId, fill(String(value), world.names)),
  }
  for (const [name, value] of Object.entries(expected)) await (checks[name] ?? assert.fail(`the runner knows ${name}`))(value)
}

async function checkToken(engine: Engine, issued: IssuedToken | undefined, expected: Json): Promise<void> {
  assert.ok(issued)
  const { nonce_unique: unique, policy_hash_deterministic: deterministic, ttl_seconds: ttl, ...members } = expected
  match(issued.claims, members)
  if (unique) assert.notEqual((await engine.issue()).claims.nonce, issued.claims.nonce)
  if (deterministic) assert.equal((await engine.issue()).claims.policy_hash, issued.claims.policy_hash)
  if (ttl !== undefined) assert.equal((Date.parse(issued.claims.expires_at) - Date.parse(issued.claims.issued_at)) / 1000, ttl)
}

async function checkHttp(world: World, engine: Engine, request: HttpRequest, expected: Json): Promise<void> {
  const { http_status: status, body, content_type: type, body_contains: parts, ...rest } = expected
  assert.deepEqual(rest, {}, 'the runner knows every expectation')
  if (JSON.stringify(request).includes('VALID_TOKEN')) world.names.set('VALID_TOKEN', (await engine.issue()).text)
  const response = await engine.send(request)
  const text = await response.text()
  assert.equal(response.status, status, text)
  if (type) assert.ok(response.headers.get('content-type')?.startsWith(String(type)))
  for (const part of (parts ?? []) as string[]) assert.ok(text.includes(part), part)
  if (body) match(JSON.parse(text), body)
}

/** `change_policy` and `load_policy` are a reload in one process. */
async function runPolicies(world: World, { policy_sequence: policies = [], steps }: Vector): Promise<void> {
  const contents = new Map(policies.map(({ name, content }) => [name, content ?? '']))
  const engine = world.start(policies[0]?.policy ?? policies[0]?.content ?? '')
  for (const step of steps ?? policies) {
    const text = step.action === 'load_policy' ? contents.get(step.policy) : step.step === 'change_policy' ? step.policy : undefined
    if (text !== undefined) engine.load(text)
    else if (step.step === 'issue_token') world.names.set('token_from_step_1', (await engine.issue()).text)
    else await runStep(world, engine, step, [])
  }
}

function checkHashes(policies: readonly { name: string; content: string }[], expected: Json): void {
  assert.deepEqual(expected, { hash_policy_v1: 'different_from_v2', hash_policy_v2: 'different_from_v1' })
  assert.equal(new Set(policies.map(({ content }) => readPolicy(content).hash)).size, policies.length)
}

/** validation-060 is prose: "Process ID, policy path, hostname: any change should invalidate the token". */
async function checkContext(world: World, policy: string): Promise<void> {
  const here = world.start(policy)
  const others = [world.start(policy, 2), world.start(policy, 1, 'node-2')]
  for (const engine of others) {
    const { verdict } = await engine.call({ method: 'tools/call', tool: 'read_file', args: {}, token: (await here.issue()).text })
    assert.partialDeepStrictEqual(verdict, { decision: 'deny', rpcError: { code: -32009, data: { token_error: 'binding_mismatch' } } })
  }
  const { verdict } = await here.call({ method: 'tools/call', tool: 'read_file', args: {}, token: (await here.issue()).text })
  assert.equal(verdict.decision, 'allow')
}
