/** What servers said about their tools, kept from session to session. @module */
import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { hashTool } from '@sworn/govern'
import { openToolPins, pinsFile } from '../src/tool-pins.ts'
import { temporary } from './support/io.ts'
import { runProcess } from './support/process.ts'

const silent = () => assert.fail('nothing was to be said')

test('a pin outlives the process that saw the tool, and belongs to the command that starts the server', async () => {
  const file = pinsFile(temporary(), 'log/1')
  const first = openToolPins(file, ['npx', 'files'], silent)
  assert.equal(first.find('read'), undefined)
  first.keep('read', 'sha256:1')
  first.keep('__proto__', 'sha256:2')
  assert.equal(first.find('read'), 'sha256:1')
  await turn()
  openToolPins(file, ['npx', 'mail'], silent).keep('read', 'sha256:3')
  await turn()
  const later = openToolPins(file, ['npx', 'files'], silent)
  assert.deepEqual([later.find('read'), later.find('__proto__'), later.find('toString')], ['sha256:1', 'sha256:2', undefined])
  assert.equal(openToolPins(file, ['npx', 'mail'], silent).find('read'), 'sha256:3')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(readdirSync(dirname(file)).length, 1)
})

test('a file of pins that is none is left as it is, and said once', async () => {
  const file = join(temporary(), 'pins.json')
  writeFileSync(file, 'not ours')
  const said: string[] = []
  const pins = openToolPins(file, ['x'], (_level, text) => void said.push(text))
  for (const tool of ['a', 'b']) {
    pins.keep(tool, 'sha256:1')
    await turn()
  }
  assert.deepEqual([pins.find('a'), said.length, readFileSync(file, 'utf8')], ['sha256:1', 1, 'not ours'])
})

test('a server with endless tools neither fills the file nor pushes out what was kept', async () => {
  const file = pinsFile(temporary(), 'log/1')
  const said: string[] = []
  const open = (server: string) => openToolPins(file, [server], (_level, text) => void said.push(text))
  open('files').keep('read', 'sha256:1')
  await turn()
  for (const server of ['a', 'b']) {
    const pins = open(server)
    for (let n = 0; n < 10_001; n++) pins.keep(`${n}`.padEnd(1024, 'x'), `sha256:${'0'.repeat(64)}`)
    await turn()
    assert.equal(pins.find('10000'.padEnd(1024, 'x')), undefined)
  }
  assert.equal(said.length, 1, 'the second one did not fit')
  assert.equal(open('files').find('read'), 'sha256:1')
  assert.ok(statSync(file).size <= 16 * 1024 * 1024)
})

/** Lists one tool, described by the file beside it. */
const SERVER = `
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id } = JSON.parse(line)
  const description = require('node:fs').readFileSync('description.txt', 'utf8')
  console.log(JSON.stringify({ jsonrpc: '2.0', id, result: { tools: [{ name: 'read', description }] } }))
})`

test('sworn proxy records that a tool is described differently than in an earlier session, once', { timeout: 120_000 }, async () => {
  const place = { cwd: temporary(), home: temporary() }
  for (const description of ['Reads', 'Reads', 'Reads, and sends', 'Reads, and sends']) {
    writeFileSync(join(place.cwd, 'description.txt'), description)
    const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n'
    const { out, code } = await runProcess(['proxy', '--', process.execPath, '-e', SERVER], place, list)
    assert.deepEqual([code, JSON.parse(out).result.tools[0].description], [0, description])
  }
  const segments = globSync(join(place.cwd, 'audit', 'segments', '*.jsonl')).map((file) => readFileSync(file, 'utf8'))
  assert.equal(segments.join('').split('"rule":"tool_changed"').length - 1, 1)
})

test('sworn proxy with a policy withholds a tool that changed, says so, and lists it again once the policy names its hash', {
  timeout: 120_000,
}, async () => {
  const place = { cwd: temporary(), home: temporary() }
  const plain = '{tool: read}'
  const accepting = `{tool: read, schema_hash: "${hashTool({ name: 'read', description: 'Reads, and sends' })[0]}"}`
  const seen: unknown[] = []
  for (const [description, rule] of [
    ['Reads', plain],
    ['Reads, and sends', plain],
    ['Reads, and sends', accepting],
    ['Reads, and sends', plain],
  ] as const) {
    writeFileSync(join(place.cwd, 'description.txt'), description)
    const head = 'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\n'
    writeFileSync(join(place.cwd, 'agent.yaml'), `${head}spec: {tool_rules: [${rule}]}\n`)
    const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n'
    const { out, err, code } = await runProcess(['proxy', '--policy', 'agent.yaml', '--', process.execPath, '-e', SERVER], place, list)
    assert.equal(code, 0, err)
    seen.push([JSON.parse(out).result.tools.length, /the tool read is withheld/.test(err)])
  }
  assert.deepEqual(seen, [
    [1, false],
    [0, true],
    [1, false],
    [1, false],
  ])
})
