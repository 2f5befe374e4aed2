/** Hooks that are handed to a process with everything loaded: same answers, same records, and what happens without it. @module */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Port, SwornError } from '@sworn/recorder'
import { later } from '../../../testkit/src/suite.ts'
import { openHookDoor } from '../src/answering/door.ts'
import { canAnswerHooks, GREETING, hooksAddress } from '../src/answering/place.ts'
import type { Io } from '../src/frame/io.ts'
import { openFor } from '../src/opening.ts'
import { type Ran, sworn, temporary } from './support/io.ts'
import { end, runProcess } from './support/process.ts'

const POLICY = (tool: string) =>
  `apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec: {allowed_tools: [${tool}, Other]}\n`
const call = (id: string) => ({
  session_id: 's-1',
  tool_name: 'Bash',
  tool_input: { command: 'echo hi' },
  tool_use_id: id,
})

function place() {
  const [cwd, home] = [temporary(), temporary()]
  writeFileSync(join(cwd, 'agent.yaml'), POLICY('Bash'))
  const here = { cwd, home }
  return {
    ...here,
    address: hooksAddress(home, 'linux')!,
    io: {
      ...{ env: { SWORN_HOME: home }, cwd, homeDirectory: home, platform: 'linux', now: Date.now, say: () => {}, isTTY: false },
      ...{ stdin: process.stdin, canAsk: false, columns: 80 },
    } as unknown as Io, // what an answerer asks of it
    hook: (event: string, payload: object, env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
      runProcess(['hook', 'claude-code', event, '--policy', 'agent.yaml'], { ...here, env }, JSON.stringify(payload)),
    async entries(): Promise<Record<string, unknown>[]> {
      const { out } = await sworn(['query', '--format', 'jsonl', '--limit', '1000'], here)
      return out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    },
  }
}

async function openDoor(here: ReturnType<typeof place>, t: TestContext) {
  const door = await openHookDoor(here.home, here.io)
  assert.ok(door)
  t.after(door.close)
  return door
}

/** Somebody else at the address. */
async function standIn(here: ReturnType<typeof place>, t: TestContext, serve: (socket: Socket) => void): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, serve)
  await new Promise<void>((resolve) => server.listen(here.address, resolve))
  t.after(() => void server.close())
}

const reasonOf = ({ out }: Ran) => JSON.parse(out).hookSpecificOutput.permissionDecisionReason

test('a hook is answered by the process that is there: decided, recorded and told as by itself', { timeout: 120_000 }, async (t) => {
  const here = place()
  const door = await openDoor(here, t)
  assert.deepEqual(await here.hook('PreToolUse', call('c-1')), { code: 0, out: '', err: '' })
  assert.deepEqual(await here.hook('PostToolUse', { ...call('c-1'), tool_response: {} }), { code: 0, out: '', err: '' })
  assert.match(reasonOf(await here.hook('PreToolUse', { ...call('c-2'), tool_name: 'Write' })), /tool_not_allowed/)
  assert.equal(door.visits(), 3)
  await door.close()
  const entries = (await here.entries()).filter(({ session_id }) => session_id === 's-1')
  assert.deepEqual(
    entries.map(({ event_type: type, decision }) => [type, decision].filter(Boolean).join(' ')),
    ['authorization_decision allow', 'tool_call_start', 'tool_call_end', 'authorization_decision deny'],
  )
  assert.equal((await sworn(['verify', '--require', 'complete'], here)).code, 0)
})

/** Prints every file that is loaded, at the end, on stderr. */
const WATCH = `
import { registerHooks } from 'node:module'
const seen = []
registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context) } })
process.on('exit', () => process.stderr.write('LOADED ' + JSON.stringify(seen)))
`

test('such a hook loads next to nothing', { timeout: 120_000 }, async (t) => {
  const here = place()
  const door = await openDoor(here, t)
  writeFileSync(join(here.cwd, 'watch.mjs'), WATCH)
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(join(here.cwd, 'watch.mjs')).href}` }
  const { err } = await here.hook('PreToolUse', call('c-1'), env)
  const loaded: string[] = JSON.parse(err.replace('LOADED ', ''))
  const files = loaded.filter((url) => url.startsWith('file:')).map((url) => basename(url))
  assert.deepEqual(files.toSorted(), ['ask.ts', 'bin.ts', 'directories.ts', 'place.ts', 'version.ts'])
  assert.equal(door.visits(), 1)
})

test('a policy that is saved counts at the next hook, and so do other flags, folders and environments', { timeout: 120_000 }, async (t) => {
  const here = place()
  const door = await openDoor(here, t)
  assert.equal((await here.hook('PreToolUse', call('c-1'))).out, '')
  writeFileSync(join(here.cwd, 'agent.yaml'), POLICY('Read'))
  assert.match(reasonOf(await here.hook('PreToolUse', call('c-2'))), /tool_not_allowed/)
  const named = await here.hook('PreToolUse', call('c-3'), { SWORN_USER: 'alice' })
  assert.match(reasonOf(named), /tool_not_allowed/)
  assert.equal(door.visits(), 3)
  await door.close()
  assert.equal((await here.entries()).findLast(({ decision }) => decision === 'deny')?.user, 'alice')
})

test('what goes wrong there is told and decided as by the hook itself', { timeout: 120_000 }, async (t) => {
  const here = place()
  const door = await openDoor(here, t)
  const missing = await runProcess(['hook', 'claude-code', 'PreToolUse', '--config', 'missing.yaml'], here, JSON.stringify(call('c-1')))
  assert.match(missing.err, /^error: CONFIG_INVALID/)
  assert.match(reasonOf(missing), /audit_unavailable/)
  assert.equal((await runProcess(['hook', 'claude-code'], here, '{')).code, 2)
  assert.equal((await runProcess(['hook', 'nobody'], here, '{}')).code, 2)
  assert.equal(door.visits(), 1)
})

test('a call that was handed over and not answered is refused; another hook fails; neither is recorded twice', async (t) => {
  const here = place()
  let asked = 0
  await standIn(here, t, (socket) => {
    socket.write(GREETING)
    socket.once('data', () => {
      asked++
      socket.destroy()
    })
  })
  const before = await here.hook('PreToolUse', call('c-1'))
  assert.match(before.err, /^error: RECORDER_UNAVAILABLE/)
  assert.match(reasonOf(before), /audit_unavailable/)
  assert.equal((await here.hook('Stop', { session_id: 's-1' })).code, 1)
  assert.equal(asked, 2)
  assert.equal(existsSync(join(here.cwd, 'audit')), false)
})

test('nobody there, a socket that nobody serves, one of another version, hooks that are to record themselves: they do', {
  timeout: 120_000,
  skip: later,
}, async (t) => {
  const here = place()
  const own = { SWORN_RECORDER: 'off' }
  assert.deepEqual(await here.hook('PreToolUse', call('c-1'), own), { code: 0, out: '', err: '' })
  let asked = ''
  await standIn(here, t, (socket) => {
    socket.on('error', () => {})
    socket.write('sworn hooks 0.0.0-other\n')
    socket.on('data', (chunk) => {
      asked += chunk
    })
  })
  assert.deepEqual(await here.hook('PreToolUse', call('c-2'), own), { code: 0, out: '', err: '' })
  const argv = ['hook', 'claude-code', 'PreToolUse', '--audit-log', join(here.cwd, 'audit')]
  assert.equal((await runProcess(argv, here, JSON.stringify(call('c-3')))).code, 0)
  assert.equal(asked, '')
  await end(['recorder', join(here.cwd, 'audit')])
  assert.equal((await here.entries()).filter(({ event_type }) => event_type === 'tool_call_start').length, 3)
})

test('of two doors of one user the second is none; a socket of a dead process is no obstacle', async (t) => {
  const here = place()
  writeFileSync(here.address, '')
  const first = await openDoor(here, t)
  assert.equal(await openHookDoor(here.home, here.io), undefined)
  assert.equal(statSync(here.address).mode & 0o777, 0o600)
  await first.close()
  assert.deepEqual(readdirSync(here.home), [])
  await openDoor(here, t)
})

test('a folder that others can enter, a path that is too long and pipes of Windows: no door', async () => {
  const here = place()
  chmodSync(here.home, 0o755)
  assert.equal(await openHookDoor(here.home, here.io), undefined)
  chmodSync(here.home, 0o700)
  assert.equal(canAnswerHooks(here.home, 'linux'), true)
  assert.equal(canAnswerHooks(here.home, 'win32'), false)
  assert.equal(canAnswerHooks(here.home, 'linux', 4_000_000), false)
  assert.equal(hooksAddress(join(here.home, 'x'.repeat(90)), 'linux'), undefined)
})

const head = { args: ['claude-code', 'Stop'], cwd: '/', env: {} }
const hostile: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['no JSON', 'x\n{}'],
  ['no line', JSON.stringify(head)],
  ['members of other types', `${JSON.stringify({ ...head, args: [1] })}\n{}`],
  ['an environment of other types', `${JSON.stringify({ ...head, env: { A: {} } })}\n{}`],
  ['a line without end', 'x'.repeat(2 * 1024 * 1024)],
]
for (const [what, sent] of hostile)
  test(`a request that is none (${what}) is not answered`, async (t) => {
    const here = place()
    const door = await openDoor(here, t)
    const socket = connect(here.address)
    socket.on('error', () => {})
    socket.end(sent)
    assert.equal(await text(socket).catch(() => GREETING), GREETING)
    assert.equal(door.visits(), 0)
  })

test('the first hook of a machine starts who answers the next ones, and that one ends when it is told to', {
  timeout: 120_000,
  skip: later,
}, async () => {
  const here = place()
  const ledger = join(here.cwd, 'audit')
  assert.equal((await here.hook('PreToolUse', call('c-1'))).code, 0)
  while (!existsSync(here.address)) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(await here.hook('PostToolUse', call('c-1')), { code: 0, out: '', err: '' })
  await end(['recorder', ledger])
  assert.equal(existsSync(here.address), false)
  assert.equal((await sworn(['verify', '--require', 'complete'], here)).code, 0)
})

/** As a process that records it: hooks of other ledgers are not its business. */
async function openLedger(here: ReturnType<typeof place>, t: TestContext): Promise<Port> {
  const { port, recorder } = await openFor(here.io, { path: join(here.cwd, 'audit'), recorderIdle: 'none' })
  t.after(() => recorder.close())
  return port
}

test('whoever records a ledger takes its hooks through the port that is open, and those of another ledger not', {
  timeout: 120_000,
}, async (t) => {
  const here = place()
  const port = await openLedger(here, t)
  const taken: string[] = []
  const submit: Port['submit'] = (batch) => {
    taken.push(...batch.map(({ eventType }) => eventType))
    return port.submit(batch)
  }
  const door = await openHookDoor(here.home, here.io, { ...port, submit })
  assert.ok(door)
  t.after(door.close)
  await here.hook('SessionStart', { session_id: 's-1' })
  assert.ok(taken.includes('session_start') && taken.includes('instrumentation_report'))
  taken.length = 0
  assert.equal((await here.hook('PreToolUse', call('c-1'))).out, '')
  await here.hook('PostToolUse', { ...call('c-1'), tool_response: {} })
  assert.deepEqual(taken, ['authorization_decision', 'tool_call_start', 'tool_call_end'])
  assert.equal((await here.hook('PreToolUse', call('c-2'), { SWORN_LEDGER: join(here.cwd, 'other') })).out, '')
  assert.equal(taken.length, 3)
  await door.close()
  assert.equal((await port.submit([]), (await sworn(['verify', 'audit'], here)).code), 0) // still open
})

test('hooks find the ledger by themselves once the port of their process is dead', { timeout: 120_000 }, async (t) => {
  const here = place()
  const port = await openLedger(here, t)
  const gone = async (batch: Parameters<Port['submit']>[0]) => batch.map(() => new SwornError('RECORDER_UNAVAILABLE', 'gone'))
  const door = await openHookDoor(here.home, here.io, { ...port, submit: gone })
  assert.ok(door)
  t.after(door.close)
  assert.match(reasonOf(await here.hook('PreToolUse', call('c-1'))), /audit_unavailable/)
  assert.equal((await here.hook('PreToolUse', call('c-2'))).out, '')
  assert.equal(door.visits(), 2)
})
