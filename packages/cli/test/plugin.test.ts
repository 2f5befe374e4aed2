/** The plugins for opencode and pi, run as those clients run them, against a sworn that answers in every way. @module */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { later } from '../../../testkit/src/suite.ts'
import { formatPlugin, type PluginName } from '../src/agents/plugin.ts'
import { sworn, temporary } from './support/io.ts'
import { SWORN } from './support/process.ts'

/** Answers by the tool's name, and notes what it was told. */
const FAKE = `
import { appendFileSync, readFileSync } from 'node:fs'
const payload = JSON.parse(readFileSync(0, 'utf8'))
appendFileSync('told.jsonl', JSON.stringify([process.argv.slice(2), payload]) + '\\n')
const ways = {
  deny: () => console.log(JSON.stringify({ decision: 'deny', reason: 'because' })),
  crash: () => process.exit(1),
  usage: () => process.exit(2),
  go_on: () => process.exit(3),
  killed: () => process.kill(process.pid, 'SIGKILL'),
  garbage: () => console.log('{'),
  other: () => console.log('{"decision":"maybe"}'),
  rewrite: () => console.log('{"decision":"rewrite","input":{"__proto__":{"command":"rm"},"kept":1}}'),
}
ways[payload.tool_name]?.()
`
/** Words of it mean something in a replacement, and to a shell. */
const LEDGER = "/a b/$&$'$`$$ FLAGS/audit"
const WAYS: readonly (readonly [tool: string, refused: RegExp | undefined])[] = [
  ['allow', undefined],
  ['go_on', undefined],
  ['deny', /^because$/],
  ...['crash', 'usage', 'killed', 'garbage', 'other'].map((tool) => [tool, /^sworn did not answer/] as const),
]

interface Host {
  /** The reason of a refusal. */
  call(tool: string, input?: unknown): Promise<string | undefined>
  result(tool: string, isError: boolean): Promise<void>
  end(): Promise<void>
}

async function load(name: PluginName, start: readonly string[], cwd: string, flags: readonly string[] = []): Promise<Host> {
  const file = join(cwd, `plugin-${name}.mjs`)
  writeFileSync(file, formatPlugin(name, start, flags))
  const plugin = await import(pathToFileURL(file).href)
  return name === 'pi' ? hostPi(plugin, cwd) : hostOpencode(await plugin.Sworn({ directory: cwd }))
}

type Hooks = Readonly<Record<string, (input: unknown, output?: unknown) => Promise<void>>>

function hostOpencode(hooks: Hooks): Host {
  const about = (tool: string) => ({ tool, sessionID: 's-1', callID: `id-${tool}` })
  const event = (type: string) => hooks.event!({ event: { type, properties: { sessionID: 's-1' } } })
  return {
    call: (tool, args = {}) =>
      hooks['tool.execute.before']!(about(tool), { args }).then(
        () => undefined,
        (e: Error) => e.message,
      ),
    result: (tool) => hooks['tool.execute.after']!({ ...about(tool), args: {} }, { title: '', output: 'done', metadata: {} }),
    end: async () => {
      await event('file.edited')
      await event('session.idle')
      await event('session.deleted')
    },
  }
}

function hostPi({ default: extend }: { default: (pi: object) => void }, cwd: string): Host {
  const handlers = new Map<string, (event: object, ctx: object) => Promise<{ block?: boolean; reason?: string } | undefined>>()
  extend({ on: (name: string, handler: never) => handlers.set(name, handler) })
  const emit = (name: string, event: object) => handlers.get(name)!(event, { cwd, sessionManager: { getSessionId: () => 's-1' } })
  const about = (toolName: string) => ({ toolName, toolCallId: `id-${toolName}` })
  return {
    call: async (tool, input = {}) => {
      const answer = await emit('tool_call', { ...about(tool), input })
      return answer?.block ? answer.reason : undefined
    },
    result: async (tool, isError) => void (await emit('tool_result', { ...about(tool), input: {}, content: 'done', isError })),
    end: async () => {
      await emit('agent_end', {})
      await emit('session_shutdown', { reason: 'quit' })
    },
  }
}

for (const name of ['opencode', 'pi'] as const) {
  test(`${name}: a call goes on only when sworn says so, and is refused by everything that is no answer`, async () => {
    const cwd = temporary()
    writeFileSync(join(cwd, 'fake.mjs'), FAKE)
    const host = await load(name, [process.execPath, join(cwd, 'fake.mjs')], cwd, ['--audit-log', LEDGER])
    for (const [tool, refused] of WAYS) {
      const reason = await host.call(tool, { path: 'x' })
      if (refused) assert.match(reason ?? 'it went on', refused, tool)
      else assert.equal(reason, undefined, tool)
    }
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    assert.match((await host.call('allow', cyclic)) ?? '', /cannot be told/)
    await host.result('allow', false)
    await host.end()
    const told = readFileSync(join(cwd, 'told.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const [argv, payload] = told[0]
    assert.deepEqual([argv[0], argv[1], ...argv.slice(3)], ['hook', name, '--installed', '--audit-log', LEDGER])
    assert.partialDeepStrictEqual(payload, {
      session_id: 's-1',
      tool_name: 'allow',
      tool_use_id: 'id-allow',
      tool_input: { path: 'x' },
      cwd,
    })
    assert.equal(payload.hook_event_name, argv[2])
    assert.equal(told.length, WAYS.length + 3)
  })

  test(`${name}: arguments that are written anew are those of the answer, whatever their names`, async () => {
    const cwd = temporary()
    writeFileSync(join(cwd, 'fake.mjs'), FAKE)
    const args = JSON.parse('{"kept":0,"constructor":"gone","toString":"gone"}')
    assert.equal(await (await load(name, [process.execPath, join(cwd, 'fake.mjs')], cwd)).call('rewrite', args), undefined)
    assert.deepEqual(Object.keys(args).toSorted(), ['__proto__', 'kept'])
    assert.equal(Object.getPrototypeOf(args), Object.prototype)
    assert.equal(args.kept, 1)
  })

  test(`${name}: a program that cannot be started refuses the call`, async () => {
    const cwd = temporary()
    const host = await load(name, [join(cwd, 'missing')], cwd)
    assert.match((await host.call('allow')) ?? '', /did not answer/)
  })

  test(`${name}: with the real sworn a session is on record, and a refused call is not run`, {
    timeout: 180_000,
    skip: later,
  }, async () => {
    const [cwd, home] = [temporary(), temporary()]
    writeFileSync(
      join(cwd, 'agent.yaml'),
      'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec: {allowed_tools: [read]}\n',
    )
    const start = ['env', `SWORN_HOME=${home}`, 'SWORN_RECORDER=off', ...SWORN]
    const host = await load(name, start, cwd, ['--policy', 'agent.yaml'])
    assert.equal(await host.call('read', { path: 'a' }), undefined)
    await host.result('read', false)
    assert.match((await host.call('write', { path: 'a' })) ?? '', /^sworn refused this call \(tool_not_allowed\)/)
    await host.end()
    const { out } = await sworn(['query', '--session', 's-1', '--format', 'jsonl'], { cwd, home })
    const types = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event_type)
    assert.deepEqual(types, [
      'authorization_decision',
      'tool_call_start',
      'tool_call_end',
      'authorization_decision',
      'turn_end',
      'session_end',
    ])
  })
}
