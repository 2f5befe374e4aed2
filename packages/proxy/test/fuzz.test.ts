/** Frames and policies at random: nothing crashes, and no call reaches the server that was not decided and recorded. @module */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createGate, normalizeName } from '@sworn/govern'
import { loadPolicy } from '@sworn/govern/policy'
import type { Gate } from '@sworn/recorder'
import fc from 'fast-check'
import { createSplitter } from '../src/frames/split.ts'
import { abandonAsks } from '../src/relay/asking.ts'
import { createSession } from '../src/relay/create-session.ts'
import { takeFromClient } from '../src/relay/from-client.ts'
import { takeFromServer } from '../src/relay/from-server.ts'
import type { Outlet } from '../src/relay/outlet.ts'
import { refuseLost } from '../src/relay/refused.ts'
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
})
const policies = fc.record({
  mode: fc.constantFrom('enforce', 'monitor'),
  allowed_tools: names,
  denied_tools: fc.subarray(['delete_*', 'write', '?end']),
  tool_rules: fc.uniqueArray(rule, { selector: ({ tool }) => tool, maxLength: 3 }),
  protected_paths: fc.subarray(['/etc', '.env']),
})

type Policies = typeof policies extends fc.Arbitrary<infer T> ? T : never

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

function gateOf(spec: object): Gate {
  const text = JSON.stringify({ apiVersion: 'aip.io/v1alpha1', kind: 'AgentPolicy', metadata: { name: 'fuzz' }, spec })
  return createGate({ policy: loadPolicy({ text, name: 'agent.yaml' }), selfProtected: ['/data/audit'] })
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

/** Feeds the bytes in pieces of `size` and gives what came out at both ends. */
async function relay(bytes: Buffer, size: number, gate: Gate, yes: boolean) {
  const [toClient, toServer, recorder] = [capture(), capture(), createMemoryRecorder()]
  const session = createSession(
    { gate, recorder, stderr: new PassThrough(), approvals: answering(yes), say: () => {} },
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

test('any bytes at all, from either side, are refused or passed: nothing is thrown, and none of them is a call', async () => {
  const property = fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 50 }), async (junk, size) => {
    const { toServer } = await relay(Buffer.from(junk), size, gateOf({ allowed_tools: ['read'] }), true)
    for (const line of toServer) assert.ok(!isCall(JSON.parse(line)))
  })
  await fc.assert(property, runs)
})
