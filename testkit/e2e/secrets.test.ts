/**
 * No planted secret anywhere: not in the ledger, not in the state, not on stdout or stderr, not in an error.
 *
 * One secret for each usual pattern and each key rule goes through library, proxy and command line; then every byte
 * that was written is searched for it: raw, hex, base64, percent-encoded.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { openRecorder } from 'sworn'
import { type Ran, sworn } from '../../packages/cli/test/support/io.ts'
import type { Place } from './support/cli.ts'
import { connect, SERVERS } from './support/mcp.ts'
import { type Planted, plantedByKey, plantedByPattern, spellings } from './support/planted.ts'
import { temporary } from './support/temporary.ts'

const [byPattern, byKey] = [plantedByPattern(), plantedByKey()]
const planted = [...byPattern, ...byKey]

/** Every file below, sockets left out. */
function readAll(root: string): { name: string; bytes: Buffer }[] {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map((entry) => join(entry.parentPath, entry.name)).map((name) => ({ name, bytes: readFileSync(name) }))
}

function checkAbsent(written: readonly { name: string; bytes: Buffer | string }[], among: readonly Planted[] = planted): void {
  const found = among.flatMap(({ rule, secret }) =>
    spellings(secret).flatMap((spelling) =>
      written.flatMap(({ name, bytes }) => (bytes.includes(spelling) || name.includes(spelling) ? [`${rule} in ${name}`] : [])),
    ),
  )
  assert.deepEqual([...new Set(found)], [])
}

const texts = () =>
  Object.fromEntries(byPattern.map(({ rule, text }) => [`the ${rule.replaceAll(/[^a-z]/g, ' ')} text`, `before ${text} after`]))
/** `{ api_key: secret }` under other spellings too: `stripeApiKey`, `X-API-Key`. */
const keyed = () => ({
  ...Object.fromEntries(byKey.map(({ key, secret }) => [key!, secret])),
  nested: [Object.fromEntries(byKey.map(({ key, secret }) => [`my-${key!.replaceAll('_', '-').toUpperCase()}`, { value: secret }]))],
  camel: Object.fromEntries(
    byKey.map(({ key, secret }) => [`stripe${key!.replaceAll(/(?:^|_)(.)/g, (_, c: string) => c.toUpperCase())}`, secret]),
  ),
})
const everything = () => ({ ...texts(), keyed: keyed(), inJson: JSON.stringify({ ...texts(), ...keyed() }) })

const outputs = (ran: Ran, name: string) => [
  { name: `stdout of ${name}`, bytes: ran.out },
  { name: `stderr of ${name}`, bytes: ran.err },
]

test('a secret in an event of the library is in no byte of the ledger and the state', async () => {
  const [cwd, home] = [temporary(), temporary()]
  const recorder = await openRecorder({ cwd, env: { SWORN_HOME: home } })
  const event = {
    event_type: 'tool_call_end',
    tool: 't',
    arguments: everything(),
    result: everything(),
    error: everything(),
    metadata: everything(),
  }
  await recorder.record(event)
  await recorder.record({
    ...event,
    arguments: Object.values(texts()),
    result: JSON.stringify(everything()),
    error: Object.values(texts()).join('\n'),
  })
  for (const text of Object.values(texts()))
    await recorder.record({ event_type: 'data_access', target: text, reason: text, human_decision: { reason: text }, own_member: text })
  const tool = recorder.tool('lookup', async (input: object) => {
    if ('fail' in input) throw new TypeError(Object.values(texts()).join(' '))
    return everything()
  })
  await tool(everything())
  await assert.rejects(tool({ fail: everything() }))
  await recorder.close()
  const written = [...readAll(cwd), ...readAll(home)]
  assert.ok(written.some(({ bytes }) => bytes.includes('[REDACTED:github_token]')))
  checkAbsent(written)
})

test('an event that is refused is refused without a word of what was in it', async () => {
  const [cwd, home] = [temporary(), temporary()]
  const recorder = await openRecorder({ cwd, env: { SWORN_HOME: home } })
  for (const { text, rule } of planted)
    for (const event of [
      { event_type: text, seq: text },
      { event_type: 'x', decision: text },
      { event_type: 'x', event_id: text },
      { event_type: 'x', usage: text },
    ])
      await assert.rejects(recorder.record(event as never), (e) => {
        assert.ok(SwornError.is(e))
        checkAbsent([{ name: rule, bytes: `${e.message} ${e.stack} ${e.at}` }])
        return true
      })
  await recorder.close()
  checkAbsent([...readAll(cwd), ...readAll(home)])
})

test('a secret in calls, results, errors, environment, policy and configuration is nowhere that sworn writes', {
  timeout: 120_000,
}, async () => {
  const root = temporary()
  const env = Object.fromEntries(planted.map(({ rule, text }) => [`PLANTED_${rule.toUpperCase()}`, text]))
  const place: Place = { cwd: join(root, 'work'), home: join(root, 'home'), env }
  const inputs = temporary()
  mkdirSync(place.cwd)
  const quoted = (text: string) => JSON.stringify(text)
  writeFileSync(
    join(inputs, 'agent.yaml'),
    `apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec:\n  allowed_tools: [echo, fail]\n  tool_rules:\n    - {tool: sum, action: block}\n  # ${planted.map(({ text }) => text.replaceAll('\n', ' ')).join(' ')}\n`,
  )
  const flags = ['--policy', join(inputs, 'agent.yaml'), '--user', 'alice']
  const proxy = await connect(flags, SERVERS.testkit(), place)
  for (const { text, secret, key } of planted) {
    await proxy.call('echo', { words: key ? `${key}: ${quoted(secret)}` : text })
    await proxy.call('echo', { words: 'x', [key ?? 'note']: text, deep: [{ [key ?? 'note']: text }] })
    await proxy.call('sum', key ? { [key]: secret } : { of: [text] }).catch(() => {})
    await proxy.call('nothing', { [key ?? 'note']: text }).catch(() => {})
    await proxy.call('echo', { words: { [key ?? 'note']: text } }).catch(() => {})
  }
  await proxy.close()
  const bad = { 'bad.yaml': 'audit:\n  log_path: {', 'bad-policy.yaml': 'kind: [', 'bad.json': '{"mcpServers": {' }
  for (const [name, start] of Object.entries(bad))
    writeFileSync(join(inputs, name), `${start}\n${planted.map(({ text }) => `  ${quoted(text)}: ${quoted(text)}`).join('\n')}\n`)
  const line = ({ text, key }: Planted) =>
    `{"event_type":${quoted(text)},"seq":${quoted(text)}}\n${text}\n{"event_type":"x","metadata":{"${key ?? 'note'}":${quoted(text)}}}`
  const lines = planted.map(line).join('\n')
  const argvs: [string[], string?][] = [
    [['verify', '--strict']],
    [['query', '--format', 'jsonl']],
    [['query']],
    [['query', '--format', 'csv']],
    [['tail', '-n', '1000']],
    [['doctor']],
    [['doctor', '--config']],
    [['record'], lines],
    [['policy', 'check', join(inputs, 'bad-policy.yaml')]],
    [['policy', 'check', join(inputs, 'agent.yaml')]],
    [['proxy', '--config', join(inputs, 'bad.yaml'), '--', 'true']],
    [['install', 'mcp-client', join(inputs, 'bad.json')]],
    [['trust', join(inputs, 'bad.yaml')]],
    [['verify', '--key', byPattern.find(({ rule }) => rule === 'private_key')!.text]],
    [['verify', '--key', byPattern.find(({ rule }) => rule === 'jwt')!.text]],
  ]
  const written = [{ name: 'stderr of the proxy', bytes: proxy.errors() }]
  const inside = { ...place, io: { env: { ...env, SWORN_HOME: place.home } } }
  for (const [argv, stdin = ''] of argvs) written.push(...outputs(await sworn(argv, { ...inside, stdin }), argv.slice(0, 2).join(' ')))
  checkAbsent([...written, ...readAll(root)])
  const verified = await sworn(['verify', '--require', 'signed'], inside)
  assert.equal(verified.code, 0, verified.out)
})
