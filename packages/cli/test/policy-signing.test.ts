/** Signed policies: `sworn policy sign`, and what a proxy and a server do with a signature. Real processes. @module */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { later } from '../../../testkit/src/suite.ts'
import { demoServer, INITIALIZE, openClient } from './support/client.ts'
import { sworn, temporary } from './support/io.ts'
import { type Place, runProcess } from './support/process.ts'
import { startServe } from './support/served.ts'

const LIMIT = { timeout: 240_000 }
const POLICY = `apiVersion: aip.io/v1alpha2
kind: AgentPolicy
metadata: # who it is
  name: demo # a name
spec: {allowed_tools: [read_text_file], server: {enabled: true}}
`
const WITHOUT_SERVER = POLICY.replace(', server: {enabled: true}', '')

/** A folder with a policy and a key that may sign it. */
function createPlace(text = WITHOUT_SERVER) {
  const place: Place = { cwd: temporary(), home: temporary() }
  mkdirSync(join(place.cwd, 'files'))
  writeFileSync(join(place.cwd, 'files', 'a.txt'), 'content of a')
  writeFileSync(join(place.cwd, 'agent.yaml'), text)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  writeFileSync(join(place.cwd, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
  writeFileSync(join(place.cwd, 'public.pem'), publicKey.export({ format: 'pem', type: 'spki' }))
  const edit = (from: string, to: string) => {
    const file = join(place.cwd, 'agent.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
  }
  return { place, edit, sign: () => sworn(['policy', 'sign', 'agent.yaml', '--signing-key', 'key.pem'], place) }
}

/** One call of a tool through `sworn proxy`. */
async function call(place: Place, flags: readonly string[]): Promise<{ readonly answer: string; readonly err: string }> {
  const client = openClient(place, flags)
  await client.ask('initialize', INITIALIZE)
  const answer = await client.ask('tools/call', { name: 'read_text_file', arguments: { path: 'a.txt' } })
  await client.end()
  return { answer: JSON.stringify(answer), err: client.said() }
}

test('a signature goes into the file and leaves every other byte; the key that is printed trusts it', LIMIT, async () => {
  const { place, sign, edit } = createPlace()
  const { code, out } = await sign()
  assert.equal(code, 0)
  const signed = readFileSync(join(place.cwd, 'agent.yaml'), 'utf8')
  assert.equal(signed.replace(/^ {2}signature: "ed25519:[^"]{88}"\n/m, ''), WITHOUT_SERVER)
  const vkey = /--policy-key (\S+)/.exec(out)?.[1] ?? ''
  for (const key of [vkey, 'public.pem']) assert.equal((await sworn(['policy', 'check', 'agent.yaml', '--policy-key', key], place)).code, 0)
  edit('name: demo', 'name: other')
  const changed = await sworn(['policy', 'check', 'agent.yaml', '--policy-key', vkey], place)
  assert.deepEqual([changed.code, /of none of the given keys, or the policy was changed/.test(changed.err)], [2, true])
  assert.equal((await sign()).code, 0)
  assert.equal((await sworn(['policy', 'check', 'agent.yaml', '--policy-key', vkey], place)).code, 0)
})

test("the ledger's key signs where no other is named, and `sworn keys` tells who that is; JSON is signed as well", LIMIT, async () => {
  const { place } = createPlace()
  assert.equal((await sworn(['policy', 'sign', 'agent.yaml'], place)).code, 3)
  await sworn(['record'], { ...place, stdin: '{"event_type":"data_access"}\n' })
  writeFileSync(join(place.cwd, 'p.json'), '{"apiVersion":"aip.io/v1alpha1","kind":"AgentPolicy","metadata":{"name":"p"},"spec":{}}')
  const vkey = (await sworn(['keys', 'show'], place)).out.trim()
  for (const file of ['agent.yaml', 'p.json']) {
    assert.equal((await sworn(['policy', 'sign', file], place)).code, 0)
    assert.equal((await sworn(['policy', 'check', file, '--policy-key', vkey], place)).code, 0)
  }
  JSON.parse(readFileSync(join(place.cwd, 'p.json'), 'utf8'))
})

test('a policy that cannot be signed stays as it was: an invalid one, a key that others can read', LIMIT, async () => {
  const { place, sign, edit } = createPlace()
  edit('spec:', 'speck:')
  const before = readFileSync(join(place.cwd, 'agent.yaml'), 'utf8')
  assert.equal((await sign()).code, 2)
  edit('speck:', 'spec:')
  chmodSync(join(place.cwd, 'key.pem'), 0o644)
  assert.deepEqual([(await sign()).code, before.replace('speck', 'spec')], [2, readFileSync(join(place.cwd, 'agent.yaml'), 'utf8')])
  assert.equal(statSync(join(place.cwd, 'key.pem')).mode & 0o777, 0o644)
})

test(
  'with a policy key a proxy obeys a signed policy, and one that is unsigned or changed blocks everything with -32010',
  LIMIT,
  async () => {
    const { place, sign, edit } = createPlace()
    const flags = ['--policy', 'agent.yaml', '--policy-key', 'public.pem']
    const unsigned = await call(place, flags)
    assert.match(unsigned.answer, /"code":-32010,"message":"Policy signature invalid"/)
    assert.match(unsigned.err, /a signed policy was expected[\s\S]*everything is blocked/)
    await sign()
    assert.match((await call(place, flags)).answer, /content of a/)
    edit('[read_text_file]', '[read_text_file, write_file]')
    assert.match((await call(place, flags)).answer, /-32010/)
    const untrusted = await call(place, ['--policy', 'agent.yaml'])
    assert.match(untrusted.answer, /-32010/)
    const { out } = await sworn(['query', '--type', 'authorization_decision', '--format', 'jsonl'], place)
    const decisions = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      decisions.map(({ decision, reason_code, error_code }) => [decision, reason_code, error_code]),
      [
        ['deny', 'policy_invalid', -32010],
        ['allow', 'matched_allowed_tools', undefined],
        ['deny', 'policy_invalid', -32010],
        ['deny', 'policy_invalid', -32010],
      ],
    )
  },
)

test('a project file cannot replace the policy keys of the user', { ...LIMIT, skip: later }, async () => {
  const { place, sign, edit } = createPlace()
  await sign()
  const other = createPlace().place
  writeFileSync(join(place.home, 'sworn.yaml'), `audit: {policy_keys: [${join(place.cwd, 'public.pem')}]}\n`)
  writeFileSync(join(place.cwd, 'sworn.yaml'), `audit: {policy: agent.yaml, policy_keys: [${join(other.cwd, 'public.pem')}]}\n`)
  const ran = await call(place, [])
  assert.match(ran.answer, /content of a/)
  assert.match(ran.err, /audit\.policy_keys is not applied: a project file may not change this/)
  edit('name: demo', 'name: theirs')
  assert.match((await call(place, [])).answer, /-32010/)
})

test('a policy key that is none keeps the proxy from starting', { ...LIMIT, skip: later }, async () => {
  const { place } = createPlace()
  for (const key of ['key.pem', 'absent.pem', 'agent.yaml']) {
    const { code, err } = await runProcess(['proxy', '--policy', 'agent.yaml', '--policy-key', key, '--', ...demoServer(place)], place)
    assert.deepEqual([code, err.includes('KEY_INVALID'), err.includes('audit.policy_keys')], [2, true, true], err)
  }
})

test('a server answers by a signed policy, and after a save without a good signature by the one it has', {
  ...LIMIT,
  skip: later,
}, async () => {
  const { place, sign, edit } = createPlace(POLICY)
  await sign()
  const server = await startServe(place, ['--policy', 'agent.yaml', '--policy-key', 'public.pem'])
  const validate = async (tool: string) => {
    const { text } = await server.post(JSON.stringify({ tool, arguments: {} }), { path: '/v1/validate' })
    return JSON.parse(text).decision
  }
  assert.deepEqual([await validate('read_text_file'), await validate('write_file')], ['allow', 'block'])
  edit('[read_text_file]', '[write_file]')
  server.process.kill('SIGHUP')
  await server.until('the one in force stays')
  assert.deepEqual([await validate('read_text_file'), await validate('write_file')], ['allow', 'block'])
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
})

test('doctor says whether the configured policy is signed by a key that is trusted', LIMIT, async () => {
  const { place, sign, edit } = createPlace()
  const policy = async () => {
    const { checks } = JSON.parse((await sworn(['doctor', '--json'], place)).out) as {
      checks: { what: string; ok: boolean; detail: string }[]
    }
    return checks.find(({ what }) => what === 'policy')
  }
  writeFileSync(join(place.cwd, 'sworn.yaml'), 'audit: {policy: agent.yaml, policy_keys: [public.pem]}\n')
  const unsigned = await policy()
  assert.deepEqual([unsigned?.ok, unsigned?.detail.includes('POLICY_INVALID')], [false, true])
  assert.equal((await sign()).code, 0)
  const signed = await policy()
  assert.deepEqual([signed?.ok, signed?.detail.endsWith('demo, enforce, signed by a key that is trusted')], [true, true])
  edit('name: demo', 'name: other')
  assert.equal((await policy())?.ok, false)
})

test('install passes on who may sign the policy and the roles, with absolute names; a key that is none is refused', LIMIT, async () => {
  const { place } = createPlace()
  const file = join(place.cwd, 'mcp.json')
  writeFileSync(file, '{"mcpServers": {"files": {"command": "server"}}}')
  const install = (key: string) =>
    sworn(['install', 'mcp-client', file, '--yes', '--policy', 'agent.yaml', '--roles', 'roles.yaml', '--policy-key', key], place)
  assert.equal((await install('agent.yaml')).code, 2)
  assert.equal((await install('public.pem')).code, 0)
  const { args } = (JSON.parse(readFileSync(file, 'utf8')) as { mcpServers: { files: { args: string[] } } }).mcpServers.files
  const at = (name: string) => join(place.cwd, name)
  const expected = ['--policy', at('agent.yaml'), '--roles', at('roles.yaml'), '--policy-key', at('public.pem'), '--', 'server']
  assert.deepEqual(args.slice(-expected.length), expected)
})
