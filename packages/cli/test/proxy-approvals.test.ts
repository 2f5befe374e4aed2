/** `sworn proxy` when the policy says `ask`: real processes, people where the configuration says they are. @module */
import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { later } from '../../../testkit/src/suite.ts'
import { temporary } from './support/io.ts'
import { type Place, SWORN, startProcess } from './support/process.ts'

const SERVER = fileURLToPath(new URL('../src/demo/server.ts', import.meta.url))
const POLICY =
  'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: demo}\nspec: {tool_rules: [{tool: create_directory, action: ask}]}\n'
const MCP = 'audit: {policy: agent.yaml, approvals: {channels: [mcp], timeout_s: 30}}\n'

interface Entry {
  readonly event_type: string
  readonly reason_code?: string
  readonly human_decision?: { readonly channel: string; readonly approver: string }
}

function createPlace(config: string): Place {
  const cwd = temporary()
  mkdirSync(join(cwd, 'files'))
  writeFileSync(join(cwd, 'agent.yaml'), POLICY)
  writeFileSync(join(cwd, 'sworn.yaml'), config)
  return { cwd, home: temporary() }
}

const entriesOf = ({ cwd }: Place): Entry[] =>
  globSync(join(cwd, 'audit', 'segments', '*.jsonl'))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean))
    .map((line) => JSON.parse(line))

function start(place: Place, flags: readonly string[]) {
  const [node = '', ...own] = SWORN.slice(0, -1)
  return startProcess(['proxy', '--user', 'ada', ...flags, '--', node, ...own, SERVER, join(place.cwd, 'files')], place)
}

/** Calls the tool, answers every form with `decision`, and gives what the client got. */
async function callOnce(place: Place, flags: readonly string[], decision: string): Promise<string> {
  const started = start(place, flags)
  const { stdin, stdout } = started.process
  const send = (message: object) => void stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const lines = createInterface(stdout)
  const capabilities = { elicitation: {} }
  send({ id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 't', version: '1' } } })
  let got = ''
  lines.on('line', (line) => {
    const { id, method } = JSON.parse(line)
    if (id === 0) send({ id: 1, method: 'tools/call', params: { name: 'create_directory', arguments: { path: 'd' } } })
    else if (method === 'elicitation/create') send({ id, result: { action: 'accept', content: { decision } } })
    else if (id === 1) {
      got = line
      stdin.end()
    }
  })
  assert.equal(await started.code, 0)
  return got
}

test('a client that the configuration names as a way to people is asked, and the decision says who it was', {
  timeout: 120_000,
}, async () => {
  const place = createPlace(MCP)
  assert.match(await callOnce(place, ['--config', 'sworn.yaml'], 'approve'), /created/)
  const decided = entriesOf(place).find(({ event_type }) => event_type === 'authorization_decision')
  assert.partialDeepStrictEqual(decided, { reason_code: 'human_approved', human_decision: { channel: 'elicitation', approver: 'ada' } })
})

test('a project file that nobody trusted cannot make the client a way to people', { timeout: 120_000 }, async () => {
  const place = createPlace(MCP)
  assert.match(await callOnce(place, [], 'approve'), /-32004/)
  const types = entriesOf(place).map(({ event_type, reason_code }) => reason_code ?? event_type)
  assert.ok(types.includes('config_tampered') && types.includes('approval_unavailable'), types.join())
})

test('a webhook without its secret, and one whose secret is none, are refused at the start', {
  skip: later,
  timeout: 120_000,
}, async () => {
  for (const approvals of ['{channels: [webhook]}', '{webhook: {url: "https://example.com/ask", secret: short}}']) {
    const started = start(createPlace(`audit: {policy: agent.yaml, approvals: ${approvals}}\n`), ['--config', 'sworn.yaml'])
    let said = ''
    started.process.stderr.on('data', (bytes) => (said += bytes))
    assert.notEqual(await started.code, 0)
    assert.match(said, /CONFIG_INVALID[^\n]*webhook/)
    assert.doesNotMatch(said, /short/)
  }
})
