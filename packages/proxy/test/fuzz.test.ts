/** Frames and policies at random: nothing crashes, and no call reaches the server that was not decided and recorded. @module */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createGate, normalizeName } from '@sworn/govern'
import type { IdentityDesk } from '@sworn/govern/identity'
import { loadPolicy } from '@sworn/govern/policy'
import { loadRoles } from '@sworn/govern/roles'
import type { Gate } from '@sworn/recorder'
import fc from 'fast-check'
import { createMachine, identityPolicy, startProcess } from '../../govern/test/support/identity.ts'
import { sharedCounters } from '../../govern/test/support/roles.ts'
import { createSplitter } from '../src/frames/split.ts'
import { abandonAsks } from '../src/relay/asking.ts'
import { createSession } from '../src/relay/create-session.ts'
import { takeFromClient } from '../src/relay/from-client.ts'
import { takeFromServer } from '../src/relay/from-server.ts'
import type { Outlet } from '../src/relay/outlet.ts'
import { refuseLost } from '../src/relay/refused.ts'
import { TOKEN_KEY } from '../src/relay/tokens.ts'
import { createMemoryRecorder } from './support/memory-recorder.ts'
import { createPeople } from './support/people.ts'

const counts: Readonly<Record<string, number>> = { ci: 600, full: 20_000 }
const runs = { seed: 20_260_728, numRuns: counts[process.env.SWORN_TESTS ?? ''] ?? 250 }

const TOOLS = ['read', 'READ', 'write', 'delete_all', 'send', 'r\u200bead', 'ｗrite', ' read', '__proto__', '']
const METHODS = ['tools/call', 'tools/call', 'tools/call', 'Tools/Call', 'tools/call ', 'tools\u200b/call', 'tools/list', 'ping', 'x/y']

const names = fc.subarray(['read', 'write', 'send', 'delete_all'])
const rule = fc.record({
  tool: fc.constantFrom('read', 'write', 'send'),
  action: fc.constantFrom('allow', 'block', 'ask'),
  allow_args: fc.option(fc.constant({ path: '/data/.*' }), { nil: undefined }),
  strict_args: fc.option(fc.boolean(), { nil: undefined }),
  rate_limit: fc.option(fc.constantFrom('1/hour', '3/hour'), { nil: undefined }),
})
const policies = fc.record({
  mode: fc.constantFrom('enforce', 'monitor'),
  allowed_tools: names,
  denied_tools: fc.subarray(['delete_*', 'write', '?end']),
  tool_rules: fc.uniqueArray(rule, { selector: ({ tool }) => tool, maxLength: 3 }),
  protected_paths: fc.subarray(['/etc', '.env']),
})

type Policies = typeof policies extends fc.Arbitrary<infer T> ? T : never

const role = fc.record({
  allowed_tools: fc.oneof(fc.constant(['all']), fc.subarray(['read', 'writ*', 'send', 'delete_?ll'])),
  blocked_tools: fc.subarray(['write', 'delete_*']),
  execution_mode: fc.constantFrom('autonomous', 'autonomous', 'supervised', 'dry_run'),
  allowed_paths: fc.constant(['**']),
  budgets: fc.oneof(fc.constant('unlimited' as const), fc.record({ calls: fc.record({ session: fc.integer({ min: 0, max: 3 }) }) })),
})
/** Who calls, what the file says of that user, and the roles that there are. */
const directories = fc.record({
  roles: fc.record({ worker: role, other: role }),
  users: fc.constant({ ada: { role: 'worker' }, bob: { role: 'other' }, eve: { role: 'ghost' } }),
})
const users = fc.constantFrom(undefined, 'ada', 'ada', 'bob', 'eve', 'mallory', '__proto__')

type Directories = typeof directories extends fc.Arbitrary<infer T> ? T : never

const call = fc.record({
  jsonrpc: fc.constantFrom('2.0', '2.0', '2.0', '1.0', 2),
  id: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('a', null, 1.5, {})),
  method: fc.constantFrom(...METHODS),
  params: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ name: fc.constantFrom(...TOOLS), arguments: fc.oneof(fc.constant({ path: '/data/a' }), fc.jsonValue()) }),
    },
    { weight: 1, arbitrary: fc.jsonValue() },
  ),
})
const cancelled = fc.record({
  jsonrpc: fc.constant('2.0'),
  method: fc.constant('notifications/cancelled'),
  params: fc.record({ requestId: fc.integer({ min: 0, max: 4 }) }),
})
const answered = fc.record({ jsonrpc: fc.constant('2.0'), id: fc.integer({ min: 0, max: 4 }), result: fc.jsonValue() })

/** What senders of trouble do to a line. */
const harm = fc.oneof(
  { weight: 8, arbitrary: fc.constant((line: string) => line) },
  fc.constant((line: string) => `[${line}]`),
  fc.constant((line: string) => line.replace('"method"', '"Method":"ping","method"')),
  fc.constant((line: string) => line.replace('"params"', '"params":{"name":"read"},"params"')),
  fc.constant((line: string) => line.replace('"name"', '"n\\u0061me":"read","name"')),
  fc.constant((line: string) => line.replace('tools/call', 'tools\\u002fcall')),
  fc.constant((line: string) => ` ${line}\r`),
  fc.constant((line: string) => line.slice(0, -1)),
  fc.constant((line: string) => line.replace('}', '}\u2028{')),
  fc.constant((line: string) => `\ufeff${line}`),
  fc.string().map((junk) => (line: string) => line + junk.replaceAll('\n', '')),
)
const lines = fc.array(fc.tuple(fc.oneof({ weight: 6, arbitrary: call }, cancelled, answered), harm), { minLength: 1, maxLength: 8 })

function capture(): Outlet & { readonly lines: string[] } {
  const lines: string[] = []
  const write = (line: Buffer) => void lines.push(line.toString('utf8'))
  return { lines, blocked: false, heavy: false, broken: false, write, end() {}, drained: async () => {}, detach() {} }
}

function gateOf(spec: object, directory?: Directories): Gate {
  const roles = directory && { roles: { directory: loadRoles({ text: JSON.stringify(directory), name: 'roles.yaml' }) } }
  const text = JSON.stringify({ apiVersion: 'aip.io/v1alpha1', kind: 'AgentPolicy', metadata: { name: 'fuzz' }, spec })
  return createGate({
    policy: loadPolicy({ text, name: 'agent.yaml' }),
    selfProtected: ['/data/audit'],
    reserve: sharedCounters(),
    ...roles,
  })
}

/** People who answer each question as told. */
function answering(yes: boolean) {
  const people = createPeople()
  const listen = async (): Promise<void> => {
    ;(await people.next()).answer(yes)
    return listen()
  }
  void listen()
  return people.approvals
}

/** Whether another reader would take a message for a call: by its method, however it is spelled. */
const isCall = ({ method }: { method?: unknown }) =>
  typeof method === 'string' && normalizeName(method, 'strict').replaceAll(/\s/g, '') === 'tools/call'

/** What the lists of a policy say about a name, told without the gate. */
function mayPass({ allowed_tools, denied_tools, tool_rules }: Policies, called: string, yes: boolean): boolean {
  const name = normalizeName(called, 'strict')
  const isDenied = denied_tools.some((denied) => new RegExp(`^${denied.replace('*', '.*').replace('?', '.')}$`, 's').test(name))
  const action = tool_rules.find(({ tool }) => tool === name)?.action
  const isListed = action === undefined ? allowed_tools.includes(name) : action === 'allow' || (action === 'ask' && yes)
  return isListed && !isDenied
}

const isNamed = (patterns: readonly string[], name: string) =>
  patterns.some((pattern) => pattern === 'all' || new RegExp(`^${pattern.replace('*', '.*').replace('?', '.')}$`, 's').test(name))

/** What roles say about a call that passes, told without the gate. */
function roleAllows({ roles, users }: Directories, user: string | undefined, called: string, yes: boolean): boolean {
  const name = normalizeName(called, 'strict')
  const given = user === 'ada' || user === 'bob' ? roles[users[user].role as 'worker' | 'other'] : undefined // the roles of these two exist
  if (!given || given.execution_mode === 'dry_run' || (given.execution_mode === 'supervised' && !yes)) return false
  return isNamed(given.allowed_tools, name) && !isNamed(given.blocked_tools, name)
}

/** How many calls of one session may pass. */
function budgetOf({ roles }: Directories, user: string | undefined): number {
  const { budgets } = user === 'ada' ? roles.worker : roles.other
  return budgets === 'unlimited' ? Number.POSITIVE_INFINITY : budgets.calls.session
}

/** Feeds the bytes in pieces of `size` and gives what came out at both ends. */
async function relay(
  bytes: Buffer,
  size: number,
  gate: Gate,
  yes: boolean,
  { user, tokens }: { user?: string | undefined; tokens?: IdentityDesk } = {},
) {
  const [toClient, toServer, recorder] = [capture(), capture(), createMemoryRecorder()]
  const session = createSession(
    {
      gate,
      recorder,
      stderr: new PassThrough(),
      approvals: answering(yes),
      say: () => {},
      ...(user !== undefined && { identity: { user } }),
      ...(tokens && { tokens }),
    },
    { transport: 'stdio', toClient, toServer, onChange: () => {} },
  )
  const splitter = createSplitter({
    onFrame: (line) => takeFromClient(session, line),
    onLost: (why) => refuseLost(session, why, 'request'),
  })
  for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size))
  splitter.end()
  await Promise.all(session.deciding)
  for (const line of [...toClient.lines]) takeFromServer(session, Buffer.from(line)) // an answer nobody asked for
  abandonAsks(session)
  return { toServer: toServer.lines, recorder }
}

test('whatever a client sends under whatever policy, each call that reaches the server was allowed on record, once', async () => {
  const property = fc.asyncProperty(policies, lines, fc.integer({ min: 1, max: 200 }), fc.boolean(), async (spec, sent, size, yes) => {
    const bytes = Buffer.from(sent.map(([message, change]) => `${change(JSON.stringify(message))}\n`).join(''))
    const { toServer, recorder } = await relay(bytes, size, gateOf(spec), yes)
    const allowed = recorder.ofType('authorization_decision').filter(({ decision }) => decision === 'allow')
    const left = allowed.map(({ rpc_id, tool, arguments: input }) => JSON.stringify([rpc_id, tool, input ?? null]))
    for (const line of toServer) {
      const message = JSON.parse(line)
      assert.ok(!Array.isArray(message), 'a batch passed')
      if (!isCall(message)) continue
      const { id, params } = message
      const at = left.indexOf(JSON.stringify([id, params.name, params.arguments ?? null]))
      assert.ok(at >= 0, `undecided: ${line}`)
      left.splice(at, 1)
      if (spec.mode === 'enforce') assert.ok(mayPass(spec, params.name, yes), `against the policy: ${line}`)
    }
  })
  await fc.assert(property, runs)
})

test('whoever calls, in whatever role: what passes is allowed to that role, rates and budgets hold, and monitor mode softens none of it', async () => {
  const calls = fc.array(call, { minLength: 1, maxLength: 12 })
  const seen = { passed: 0, spent: 0, limited: 0 }
  const property = fc.asyncProperty(policies, directories, users, calls, fc.boolean(), async (spec, directory, user, sent, yes) => {
    const bytes = Buffer.from(sent.map((message) => `${JSON.stringify(message)}\n`).join(''))
    const { toServer, recorder } = await relay(bytes, 64, gateOf(spec, directory), yes, { user })
    const passed = toServer.map((line) => JSON.parse(line)).filter(isCall)
    const allowed = recorder.ofType('authorization_decision').filter(({ decision }) => decision === 'allow')
    assert.equal(passed.length, allowed.length)
    for (const { params } of passed) assert.ok(roleAllows(directory, user, params.name, yes), `against the role: ${params.name}`)
    assert.ok(passed.length === 0 || passed.length <= budgetOf(directory, user), `${passed.length} calls passed`)
    for (const { tool, rate_limit } of spec.tool_rules) {
      const count = passed.filter(({ params }) => normalizeName(params.name, 'strict') === tool).length
      assert.ok(rate_limit === undefined || count <= Number.parseInt(rate_limit, 10), `${tool} ${count} times`)
    }
    const refused = recorder.ofType('authorization_decision').map(({ reason_code }) => reason_code)
    seen.passed += passed.length
    seen.spent += refused.filter((code) => code === 'budget_exceeded').length
    seen.limited += refused.filter((code) => code === 'rate_limited').length
    assert.ok(allowed.every(({ user: acted, role: named }) => acted === user && (named === 'worker' || named === 'other')))
  })
  await fc.assert(property, runs)
  assert.ok(Math.min(seen.passed, seen.spent, seen.limited) > 0, JSON.stringify(seen))
})

/** Where a policy asks for tokens: a session that is open, and tokens that it gave out. */
async function issue(count: number) {
  const policy = identityPolicy('identity: {enabled: true, require_token: true, session_binding: policy}')
  const room = startProcess(createMachine(), { policy })
  const [own, other] = [await room.openSession(), await room.openSession()]
  const texts = async (of: typeof own) => Promise.all(Array.from({ length: count }, async () => (await of.token({ fresh: true })).text))
  const desk: IdentityDesk = { ...room, rules: () => policy.identity, openSession: async () => own }
  return { desk, good: await texts(own), foreign: await texts(other) }
}

test('where tokens are required, each call that passes has spent one of its session, the server sees none, and no record holds one', async () => {
  const which = fc.constantFrom('good', 'good', 'good', 'foreign', 'bent', 'none', 'junk')
  const shown = fc.record({ which, n: fc.integer({ min: 0, max: 2 }), spread: fc.boolean() })
  const plain = fc.record({
    jsonrpc: fc.constant('2.0'),
    id: fc.integer({ min: 0, max: 30 }),
    method: fc.constant('tools/call'),
    params: fc.record({ name: fc.constantFrom('read', 'write'), arguments: fc.constant({ path: '/data/a' }) }),
  })
  const calls = fc.array(fc.tuple(fc.oneof({ weight: 4, arbitrary: plain }, call), shown, harm), { minLength: 1, maxLength: 10 })
  let passed = 0
  const property = fc.asyncProperty(calls, fc.integer({ min: 1, max: 200 }), async (sent, size) => {
    const { desk, good, foreign } = await issue(3)
    const tokenOf = {
      good: (n: number) => good[n],
      foreign: (n: number) => foreign[n],
      bent: (n: number) => `${good[n]?.slice(0, -3)}AAA`,
      junk: () => 'x.y.z',
    }
    const withToken = ([message, { which: kind, n, spread }, change]: (typeof sent)[number]) => {
      if (kind === 'none' || typeof message.params !== 'object' || message.params === null) return change(JSON.stringify(message))
      const meta = { [TOKEN_KEY]: tokenOf[kind](n), ...(spread && { progressToken: 1 }) }
      return change(JSON.stringify({ ...message, params: { ...message.params, _meta: meta } }))
    }
    const bytes = Buffer.from(sent.map((one) => `${withToken(one)}\n`).join(''))
    const { toServer, recorder } = await relay(bytes, size, gateOf({ allowed_tools: ['read', 'write', 'send'] }), true, { tokens: desk })
    const texts = [...good, ...foreign]
    const past = [...toServer, ...recorder.events.map((event) => JSON.stringify(event))]
    assert.ok(!past.some((line) => texts.some((token) => line.includes(token))), 'a token went on')
    const out = toServer.map((line) => JSON.parse(line)).filter(isCall)
    const offered = good.filter((token) => bytes.includes(token))
    assert.ok(out.length <= offered.length, `${out.length} calls on ${offered.length} tokens`)
    const spent = recorder.ofType('authorization_decision').filter(({ decision }) => decision === 'allow')
    assert.equal(new Set(spent.map(({ token_id }) => token_id)).size, out.length)
    passed += out.length
  })
  await fc.assert(property, { ...runs, numRuns: Math.ceil(runs.numRuns / 4) })
  assert.ok(passed > runs.numRuns / 10, `${passed} calls passed`)
})

test('any bytes at all, from either side, are refused or passed: nothing is thrown, and none of them is a call', async () => {
  const property = fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 50 }), async (junk, size) => {
    const { toServer } = await relay(Buffer.from(junk), size, gateOf({ allowed_tools: ['read'] }), true)
    for (const line of toServer) assert.ok(!isCall(JSON.parse(line)))
  })
  await fc.assert(property, runs)
})
