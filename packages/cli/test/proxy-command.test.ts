/** `sworn proxy`, `completion`, start-up and pipes, in real processes. @module */
import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { endWithTests } from '../../../testkit/src/children.ts'
import { later } from '../../../testkit/src/suite.ts'
import { splitTarget } from '../src/commands/proxy.ts'
import { sworn, temporary } from './support/io.ts'

const BIN = fileURLToPath(new URL('../src/bin.ts', import.meta.url))
const SERVER = fileURLToPath(new URL('../src/demo/server.ts', import.meta.url))
const NODE = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source']
const run = promisify(execFile)

test('--target is split as a shell would split it, and operators are refused because no shell runs', async () => {
  assert.deepEqual(await splitTarget(`npx -y "my server" '/a b' c\\ d $HOME`), ['npx', '-y', 'my server', '/a b', 'c d', '$HOME'])
  for (const bad of ['a | b', 'a && b', 'a > f', 'a; b', 'ls *.txt']) await assert.rejects(splitTarget(bad), /no shell runs here/)
  assert.equal((await sworn(['proxy', '--target', 'a | b'])).code, 2)
  assert.match((await sworn(['proxy'])).err, /a server is missing/)
})

interface Session {
  readonly code: number | null
  readonly answers: Record<string, unknown>[]
  readonly err: string
}

/** Sends requests one by one, then closes stdin. */
async function talk(flags: string[], requests: object[], cwd: string, home: string): Promise<Session> {
  const argv = [...NODE, BIN, 'proxy', ...flags]
  const child = endWithTests(spawn(process.execPath, argv, { cwd, env: { ...process.env, SWORN_HOME: home } }))
  const [err, answers] = [text(child.stderr), [] as Record<string, unknown>[]]
  child.stdout.setEncoding('utf8')
  let rest = ''
  const send = () => {
    const next = requests.shift()
    if (next) child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...next })}\n`)
    else child.stdin.end()
  }
  child.stdout.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) answers.push(JSON.parse(line))
    for (const _ of lines) send()
  })
  send()
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, answers, err: await err }
}

const HELLO = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
}
const read = (id: number, path: string) => ({ id, method: 'tools/call', params: { name: 'read_text_file', arguments: { path } } })
const server = (files: string) => ['--', process.execPath, ...NODE, SERVER, files]

test('a proxied call is judged, recorded and answered; the ledger verifies', { timeout: 120_000 }, async () => {
  const cwd = temporary()
  const home = temporary()
  mkdirSync(join(cwd, 'files'))
  writeFileSync(join(cwd, 'files', 'a.txt'), 'content of a')
  writeFileSync(
    join(cwd, 'p.yaml'),
    'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec:\n  allowed_tools: [read_text_file]\n',
  )
  const write = { id: 3, method: 'tools/call', params: { name: 'write_file', arguments: { path: 'a.txt', content: '' } } }
  const ran = await talk(
    ['--policy', 'p.yaml', '--user', 'alice', ...server(join(cwd, 'files'))],
    [HELLO, read(2, 'a.txt'), write],
    cwd,
    home,
  )
  assert.equal(ran.code, 0, ran.err)
  assert.match(JSON.stringify(ran.answers[1]), /content of a/)
  assert.match(JSON.stringify(ran.answers[2]), /-32001/)
  const found = await sworn(['query', '--type', 'authorization_decision', '--format', 'jsonl'], { cwd, home })
  const decisions = found.out
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l))
  assert.deepEqual(
    decisions.map((d) => [d.tool, d.decision, d.user]),
    [
      ['read_text_file', 'allow', 'alice'],
      ['write_file', 'deny', 'alice'],
    ],
  )
  assert.equal((await sworn(['verify', '--require', 'complete', '--strict'], { cwd, home })).code, 0)
})

test('a policy that is named but missing or invalid blocks everything', { skip: later, timeout: 120_000 }, async () => {
  const cwd = temporary()
  const home = temporary()
  writeFileSync(join(cwd, 'bad.yaml'), 'kind: Nothing\n')
  for (const policy of ['absent.yaml', 'bad.yaml']) {
    const ran = await talk(['--policy', policy, ...server(cwd)], [HELLO], cwd, home)
    assert.ok('error' in ran.answers[0]!, policy)
    assert.equal(ran.err.match(/policy_invalid: .*everything is blocked/g)?.length, 1, ran.err)
  }
})

test('a configuration that records errors only keeps what every call waits for', { skip: later, timeout: 120_000 }, async () => {
  const cwd = temporary()
  const home = temporary()
  writeFileSync(join(cwd, 'a.txt'), 'x')
  writeFileSync(join(home, 'sworn.yaml'), 'audit:\n  events: [errors]\n  log_level: error\n')
  const ran = await talk(['--config', join(home, 'sworn.yaml'), ...server(cwd)], [HELLO, read(2, 'a.txt')], cwd, home)
  assert.ok('result' in ran.answers[1]!, ran.err)
  const found = await sworn(['query', '--format', 'jsonl'], { cwd, home })
  const types = found.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).event_type)
  assert.deepEqual(
    types.filter((type) => !String(type).startsWith('log.')),
    ['tool_call_start'],
  )
})

test('a client that closes its ends mid-session leaves a whole record', { timeout: 120_000 }, async () => {
  const cwd = temporary()
  const home = temporary()
  writeFileSync(join(cwd, 'a.txt'), 'x')
  const argv = [...NODE, BIN, 'proxy', ...server(cwd)]
  const child = endWithTests(spawn(process.execPath, argv, { cwd, env: { ...process.env, SWORN_HOME: home } }))
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...HELLO })}\n`)
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.stdout.destroy()
  child.stderr.destroy()
  child.stdin.on('error', () => {}) // the proxy stops reading
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...read(2, 'a.txt') })}\n`)
  await ended
  const found = await sworn(['query', '--format', 'jsonl'], { cwd, home })
  const types = found.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).event_type)
  for (const type of ['tool_call_start', 'tool_call_end', 'session_end', 'log.stop']) assert.ok(types.includes(type), `${type} of ${types}`)
})

test('without a policy a call is recorded by its start, only a refusal is a decision, and stderr says so once', {
  timeout: 120_000,
}, async () => {
  const cwd = temporary()
  writeFileSync(join(cwd, 'a.txt'), 'x')
  const home = temporary()
  const own = { id: 3, method: 'tools/call', params: { name: 'read_text_file', arguments: { path: join(cwd, 'audit', 'checkpoint') } } }
  const ran = await talk(server(cwd), [HELLO, read(2, 'a.txt'), own], cwd, home)
  assert.ok('result' in ran.answers[1]!)
  assert.ok('error' in ran.answers[2]!, 'the ledger is protected without a policy')
  assert.equal(ran.err.match(/nothing is blocked/g)?.length, 1, ran.err)
  const found = await sworn(['query', '--format', 'jsonl'], { cwd, home })
  const told = found.out.match(/"event_type":"(authorization_decision|tool_call_\w+)"/g)
  const expected = ['tool_call_start', 'tool_call_end', 'authorization_decision'].map((type) => `"event_type":"${type}"`)
  assert.deepEqual(told?.toSorted(), expected.toSorted())
})

test('a server that cannot be started is a clear error', { timeout: 120_000 }, async () => {
  const ran = spawnSync(process.execPath, [...NODE, BIN, 'proxy', '--', '/no/such/server'], {
    cwd: temporary(),
    env: { ...process.env, SWORN_HOME: temporary() },
    encoding: 'utf8',
  })
  assert.notEqual(ran.status, 0)
  assert.doesNotMatch(ran.stderr, /\n\s+at /)
  assert.match(ran.stderr, /no\/such\/server|cannot be started|ENOENT/)
})

test('completion scripts exist for four shells and complete commands and flags', { skip: later }, async () => {
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const { stdout } = await run(process.execPath, [...NODE, BIN, 'completion', shell])
    assert.match(stdout, /sworn complete/)
  }
  assert.match((await run(process.execPath, [...NODE, BIN, 'complete', '--', 'ver'])).stdout, /^verify\t/m)
  assert.match((await run(process.execPath, [...NODE, BIN, 'complete', '--', 'query', '--si'])).stdout, /^--since\t/m)
  assert.equal((await sworn(['completion', 'tcsh'])).code, 2)
})

test('a reader that goes away ends the command quietly', async () => {
  const path = join(temporary(), 'a.jsonl')
  const line = (seq: number) => JSON.stringify({ event_type: 'x', timestamp: '2026-01-01T00:00:00Z', metadata: 'y'.repeat(200), seq })
  writeFileSync(path, `${Array.from({ length: 20_000 }, (_, seq) => line(seq)).join('\n')}\n`)
  const command = `"${process.execPath}" ${NODE.join(' ')} "${BIN}" query "${path}" --format jsonl | head -n 1`
  const { stdout, stderr } = await run('bash', ['-o', 'pipefail', '-c', command])
  assert.equal(stdout.trim(), line(0))
  assert.equal(stderr, '')
})

test('an old Node is told which one is needed before anything is loaded', async () => {
  const fake = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } })`
  const ran = spawnSync(process.execPath, [...NODE, '--import', `data:text/javascript,${encodeURIComponent(fake)}`, BIN, 'verify'], {
    encoding: 'utf8',
  })
  assert.equal(ran.status, 2)
  assert.match(ran.stderr, /^error: NODE_TOO_OLD node 20\.11\.1 found, 22\.22 needed\nhint: /)
})
