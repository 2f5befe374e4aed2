/** Commands that write or check a real ledger, each exit code. @module */
import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openIndexDatabase } from '@sworn/analyze'
import { SwornError } from '@sworn/verify'
import { later } from '../../../testkit/src/suite.ts'
import { FORGERIES, forgeCopy } from '../src/demo/forge.ts'
import { openRecorder } from '../src/index.ts'
import { sworn, temporary } from './support/io.ts'

const EVENT = JSON.stringify({ event_type: 'data_access', target: 'crm.contacts', user: 'alice' })
const DENY = JSON.stringify({ event_type: 'authorization_decision', decision: 'deny', tool: 'x', reason: 'no', reason_code: 'tool_denied' })

describe('a recorded ledger', { timeout: 120_000 }, () => {
  const cwd = temporary()
  const home = temporary()
  const at = { cwd, home }

  before(async () => {
    const ran = await sworn(['record', '--user', 'bob'], { ...at, stdin: `${EVENT}\n${DENY}\n\n${EVENT}` })
    assert.equal(ran.code, 0, ran.err)
    const answers = ran.out
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l))
    assert.equal(answers.length, 3)
    for (const { seq, entry_hash } of answers) assert.ok(Number.isInteger(seq) && /^[0-9a-f]{64}$/.test(entry_hash))
  })

  test('record skips a bad line, names it, records the rest and exits 1', async () => {
    const ledger = join(temporary(), 'other')
    const ran = await sworn(['record', ledger], { home: temporary(), stdin: `${EVENT}\nnot json\n{"event_type":"log.open"}\n${EVENT}\n` })
    assert.equal(ran.code, 1)
    assert.match(ran.err, /error: line 2: .*\n.*line 3: /)
    const answers = ran.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      answers.map((answer) => ('seq' in answer ? Object.keys(answer) : [answer.line, answer.error.code])),
      [
        ['seq', 'entry_hash', 'durable'],
        [2, 'EVENT_INVALID'],
        [3, 'EVENT_INVALID'],
        ['seq', 'entry_hash', 'durable'],
      ],
    )
  })

  test('record refuses what readers of JSON disagree about, and records the lines around it', async () => {
    const lines = [
      EVENT,
      '{"event_type":"data_access","target":"a","\\u0074arget":"b"}',
      '{"event_type":"data_access","target":"\xff"}',
      EVENT,
    ]
    const stdin = Readable.from([Buffer.from(`${lines.join('\n')}\n`, 'latin1')])
    const ledger = join(temporary(), 'other')
    const ran = await sworn(['record', ledger], { home: temporary(), io: { stdin } })
    assert.equal(ran.code, 1)
    assert.deepEqual(
      ran.out
        .trim()
        .split('\n')
        .map((line) => 'seq' in JSON.parse(line)),
      [true, false, false, true],
    )
    assert.match(ran.err, /line 2: EVENT_INVALID member names that differ were expected\n/)
    assert.match(ran.err, /line 3: EVENT_INVALID UTF-8 was expected\n/)
  })

  test('verify holds as signed for this user, and --require decides the exit code', async () => {
    const ran = await sworn(['verify'], at)
    assert.equal(ran.code, 0, ran.out + ran.err)
    for (const level of ['bytes', 'chain', 'tree', 'signed', 'anchored', 'complete'])
      assert.match(ran.out, new RegExp(`^${level} +(holds|no) `, 'm'))
    assert.match(ran.out, /\nsigned holds: /)
    assert.equal((await sworn(['verify', '--require', 'anchored'], at)).code, 1)
    assert.equal((await sworn(['verify', '--strict', '--require', 'complete'], at)).code, 0)
    const json = JSON.parse((await sworn(['verify', '--json'], at)).out)
    assert.equal(json.ok, true)
    assert.equal(json.levels.signed.known, true)
  })

  test('somebody without the key is told that who wrote it is not shown, and gets it with --key', async () => {
    const stranger = { cwd, home: temporary() }
    const ran = await sworn(['verify'], stranger)
    assert.equal(ran.code, 0)
    assert.match(ran.out, /nobody edited this carelessly; who wrote it is not shown\n$/)
    assert.equal((await sworn(['verify', '--require', 'signed'], stranger)).code, 1)
    const vkey = (await sworn(['keys', 'show'], at)).out.trim()
    assert.equal((await sworn(['verify', '--key', vkey], stranger)).code, 0)
    writeFileSync(join(cwd, 'public.pem'), (await sworn(['keys', 'export'], at)).out)
    assert.equal((await sworn(['--verify-audit-log', 'audit', '--signing-key', 'public.pem'], stranger)).code, 0)
  })

  test('a changed byte in a note beside the entries is found, and the file is named', async () => {
    for (const name of ['checkpoint', 'checkpoints.log', join('.state', 'signed')]) {
      const copy = join(temporary(), 'audit')
      cpSync(join(cwd, 'audit'), copy, { recursive: true })
      const bytes = readFileSync(join(copy, name))
      bytes[bytes.length >> 1]! ^= 1
      writeFileSync(join(copy, name), bytes)
      const { out } = await sworn(['verify', copy], at)
      assert.ok(
        out.split('\n').some((line) => /^(finding|warning): /.test(line) && line.includes(name)),
        `${name}\n${out}`,
      )
    }
  })

  test('another key, a malformed key and a private key do not verify', async () => {
    const other = { cwd: temporary(), home: temporary() }
    await sworn(['record'], { ...other, stdin: EVENT })
    const vkey = (await sworn(['keys', 'show'], other)).out.trim()
    assert.equal((await sworn(['verify', '--key', vkey], at)).code, 1)
    assert.equal((await sworn(['verify', '--key', 'nonsense'], at)).code, 2)
    const keys = readdirSync(join(home, 'keys'), { recursive: true }).map(String)
    const pem = join(home, 'keys', keys.find((name) => name.endsWith('.pem'))!)
    const ran = await sworn(['verify', '--key', pem], at)
    assert.equal(ran.code, 2)
    assert.match(ran.err, /a public key was expected, a private one was found/)
  })

  for (const forgery of FORGERIES) {
    test(`verify catches it when ${forgery.title}`, async () => {
      const copy = join(temporary(), 'copy')
      forgeCopy(join(cwd, 'audit'), copy, forgery)
      assert.equal((await sworn(['verify', copy], at)).code, 1)
    })
  }

  test('a ledger that this user knows and that is gone is not merely absent: verify and doctor say so', async () => {
    const mine = { home: temporary(), cwd: temporary() }
    assert.equal((await sworn(['record'], { ...mine, stdin: '{"event_type":"x"}\n' })).code, 0)
    const gone = /a ledger was here, signed up to size \d+, and is gone/
    rmSync(join(mine.cwd, 'audit'), { recursive: true })
    for (const left of ['nothing', 'an empty directory']) {
      if (left !== 'nothing') mkdirSync(join(mine.cwd, 'audit'))
      const { code, err } = await sworn(['verify'], mine)
      assert.deepEqual([code, gone.test(err), /^error: LEDGER_ROLLBACK/.test(err)], [3, true, true], `${left}: ${err}`)
      const { code: found, out } = await sworn(['doctor'], mine)
      assert.equal(found, 1, out)
      assert.match(out, /WRONG +ledger +LEDGER_ROLLBACK a ledger was here/)
    }
    assert.match((await sworn(['verify'], { ...mine, home: temporary() })).err, /^error: LEDGER_NOT_FOUND the directory is empty/)
  })

  test('a ledger at its own path that is older than what was signed there is a rollback', { skip: later }, async () => {
    const mine = { cwd: temporary(), home: temporary() }
    const ledger = join(mine.cwd, 'audit')
    await sworn(['record'], { ...mine, stdin: EVENT })
    cpSync(ledger, join(mine.cwd, 'old'), { recursive: true })
    await sworn(['record'], { ...mine, stdin: `${EVENT}\n${EVENT}\n` })
    cpSync(join(mine.cwd, 'old'), ledger, { recursive: true, force: true })
    const ran = await sworn(['verify'], mine)
    assert.equal(ran.code, 1)
    assert.match(ran.out, /finding: rollback at signer state of size \d+/)
    assert.equal((await sworn(['record'], { ...mine, stdin: EVENT })).code, 3)
  })

  test('after a rollback init --reason goes on: the old ledger is set aside whole, the new one says why', { skip: later }, async () => {
    const mine = { cwd: temporary(), home: temporary() }
    const ledger = join(mine.cwd, 'audit')
    await sworn(['record'], { ...mine, stdin: EVENT })
    rmSync(ledger, { recursive: true })
    assert.match((await sworn(['record'], { ...mine, stdin: EVENT })).err, /LEDGER_ROLLBACK/)
    assert.equal((await sworn(['init', '--reason', 'disk was lost'], mine)).code, 0)
    assert.equal((await sworn(['record'], { ...mine, stdin: EVENT })).code, 0)
    assert.match((await sworn(['query', '--type', 'security_alert', '--format', 'jsonl'], mine)).out, /disk was lost.*ledger_started_anew/)
    assert.equal((await sworn(['verify', '--require', 'signed'], mine)).code, 0)
    assert.equal((await sworn(['init', 'audit'], mine)).code, 2)
    const again = await sworn(['init', '--reason', 'once more'], mine)
    assert.equal(again.code, 0, again.err)
    assert.match(
      (await sworn(['query', '--type', 'log.open', '--format', 'jsonl'], mine)).out,
      /"previous_log":\{"origin":"sworn\.local.*"reason":"once more"/,
    )
    const old = readdirSync(mine.cwd).find((name) => name.startsWith('audit.'))!
    assert.equal((await sworn(['verify', old, '--require', 'signed'], mine)).code, 0)
  })

  test('keys adopt accepts a ledger that verifies after its signer state was lost, and no other', { skip: later }, async () => {
    const mine = { cwd: temporary(), home: temporary() }
    await sworn(['record'], { ...mine, stdin: EVENT })
    assert.equal((await sworn(['keys', 'adopt', '--yes'], mine)).code, 2)
    const signed = readdirSync(join(mine.home, 'keys'), { recursive: true })
      .map(String)
      .find((name) => name.endsWith('signed'))!
    rmSync(join(mine.home, 'keys', signed))
    assert.match((await sworn(['record'], { ...mine, stdin: EVENT })).err, /LEDGER_STATE_MISSING/)
    assert.equal((await sworn(['keys', 'adopt'], mine)).code, 2)
    assert.equal((await sworn(['keys', 'adopt', '--yes'], mine)).code, 0)
    assert.equal((await sworn(['record'], { ...mine, stdin: EVENT })).code, 0)
    assert.equal((await sworn(['verify'], mine)).code, 0)
    rmSync(join(mine.home, 'keys', signed))
    const segment = join(mine.cwd, 'audit', 'segments', `${'0'.repeat(20)}.jsonl`)
    writeFileSync(segment, readFileSync(segment, 'utf8').replace('alice', 'alicf'))
    assert.equal((await sworn(['keys', 'adopt', '--yes'], mine)).code, 3)
  })

  test('keys lists what this user has, and an unknown action or ledger is refused', async () => {
    assert.match((await sworn(['keys'], at)).out, /SIGNED UP TO/)
    assert.equal(JSON.parse((await sworn(['keys', 'list', '--json'], at)).out).ledgers.length, 1)
    assert.equal((await sworn(['keys', 'burn'], at)).code, 2)
    assert.equal((await sworn(['keys', 'show', 'nowhere'], at)).code, 3)
    assert.match((await sworn(['keys', 'export'], at)).out, /^-----BEGIN PUBLIC KEY-----/)
  })

  test('doctor finds nothing wrong, then a key that others can read and a damaged entry', async () => {
    const mine = { cwd: temporary(), home: temporary() }
    assert.equal((await sworn(['doctor'], mine)).code, 0)
    await sworn(['record'], { ...mine, stdin: EVENT })
    const fine = await sworn(['doctor'], mine)
    assert.equal(fine.code, 0, fine.out)
    const pem = readdirSync(join(mine.home, 'keys'), { recursive: true })
      .map(String)
      .find((name) => name.endsWith('.pem'))!
    chmodSync(join(mine.home, 'keys', pem), 0o644)
    const ran = await sworn(['doctor', '--json'], mine)
    assert.equal(ran.code, 1)
    assert.equal(JSON.parse(ran.out).checks.find((c: { what: string }) => c.what === 'keys').ok, false)
    chmodSync(join(mine.home, 'keys', pem), 0o600)
    const segment = join(mine.cwd, 'audit', 'segments', readdirSync(join(mine.cwd, 'audit', 'segments')).find((n) => n.endsWith('.jsonl'))!)
    appendFileSync(segment, 'junk\n')
    assert.match((await sworn(['doctor'], mine)).out, /WRONG +ledger/)
  })

  test('recorder holds the ledger until it has been idle, and closes it', { skip: later }, async () => {
    const mine = { cwd: temporary(), home: temporary() }
    const ran = await sworn(['recorder', 'audit', '--idle-exit', '1s'], mine)
    assert.equal(ran.code, 0, ran.err)
    assert.match(ran.err, /sworn: recording .*audit/)
    assert.equal((await sworn(['verify', 'audit'], mine)).code, 0)
    assert.equal((await sworn(['recorder', '--idle-exit', 'soon'], mine)).code, 2)
    assert.equal(existsSync(join(mine.cwd, 'audit/audit.db')), false, 'started on demand it keeps no index')
  })

  test('a recorder that stays keeps the index up to date while others record', { timeout: 120_000 }, async () => {
    const mine = { cwd: temporary(), home: temporary() }
    const stop = new AbortController()
    const recording = sworn(['recorder', 'audit'], { ...mine, io: { signal: stop.signal } })
    const directory = join(mine.cwd, 'audit')
    while (!existsSync(join(directory, 'audit.db'))) await wait(20)
    const stdin = `${JSON.stringify({ event_type: 'data_access', target: 'crm.contacts' })}\n`
    assert.equal((await sworn(['record', 'audit'], { ...mine, stdin })).code, 0)
    const index = await openIndexDatabase(directory)
    const find = index.db.prepare("SELECT count(*) AS entries FROM entries WHERE event_type = 'data_access'")
    while (Number(find.get()?.entries) === 0) await wait(20)
    index.close()
    stop.abort()
    assert.equal((await recording).code, 0)
  })

  test('the library records with five lines, refuses an unknown option, and is blocked by bad configuration', async () => {
    const mine = temporary()
    const env = { SWORN_HOME: temporary() }
    const recorder = await openRecorder({ path: './audit', agent: { name: 'billing-agent' }, cwd: mine, env })
    const answer = await recorder.record({ event_type: 'data_access', target: 'crm.contacts', user: 'alice@example.com' })
    assert.ok('seq' in answer)
    await recorder.close()
    const found = await sworn(['query', join(mine, 'audit'), '--agent', 'billing-agent', '--format', 'jsonl'])
    assert.equal(JSON.parse(found.out).user, 'alice@example.com')
    await assert.rejects(openRecorder({ pth: 'x' } as object), TypeError)
    await assert.rejects(openRecorder({ cwd: mine, env, config: 'absent.yaml' }), (e) => SwornError.is(e, 'CONFIG_INVALID'))
  })

  test('what an untrusted sworn.yaml wanted is recorded as config_tampered and not done', async () => {
    const mine = { cwd: temporary(), home: temporary() }
    writeFileSync(join(mine.cwd, 'sworn.yaml'), 'audit:\n  log_path: /tmp/elsewhere\n  redact: [codename]\n')
    assert.equal(
      (await sworn(['record'], { ...mine, stdin: JSON.stringify({ event_type: 'data_access', metadata: { codename: 'falcon' } }) })).code,
      0,
    )
    const text = (await sworn(['query', join(mine.cwd, 'audit'), '--format', 'jsonl'], mine)).out
    assert.match(text, /config_tampered/)
    assert.doesNotMatch(text, /falcon/)
    assert.ok(!existsSync('/tmp/elsewhere'))
  })
})

test('init writes a trusted file and its schema, and does not overwrite', async () => {
  const mine = { cwd: temporary(), home: temporary() }
  assert.equal((await sworn(['init'], mine)).code, 0)
  assert.equal((await sworn(['init'], mine)).code, 2)
  assert.equal((await sworn(['init', '--force'], mine)).code, 0)
  for (const [written, shipped] of [
    ['sworn.schema.json', 'recorder/schema/sworn.schema.json'],
    ['agent-policy.schema.json', 'govern/schema/agent-policy.schema.json'],
  ] as const) {
    assert.equal(readFileSync(join(mine.cwd, written), 'utf8'), readFileSync(new URL(`../../${shipped}`, import.meta.url), 'utf8'))
    assert.match(readFileSync(join(mine.cwd, 'sworn.yaml'), 'utf8'), new RegExp(`yaml-language-server: \\$schema=\\./${written}`))
  }
  const shown = await sworn(['doctor', '--config'], mine)
  assert.equal(shown.code, 0)
  assert.match(shown.out, /redact +\["customer_iban"\] +project .*sworn\.yaml/)
  assert.match(shown.out, /enabled +true +default/)
  assert.equal(shown.err, '')
})

test('doctor --config prints every value with its origin, locked keys and what was not applied', async () => {
  const mine = { cwd: temporary(), home: temporary() }
  writeFileSync(join(mine.home, 'sworn.yaml'), 'audit: {log_path: /var/a, user: bob, redact: [a], lock: [log_path, user]}\n')
  writeFileSync(join(mine.cwd, 'sworn.yaml'), 'audit: {log_path: ./b, redact: [b]}\n')
  const { out, err, code } = await sworn(['doctor', '--config'], mine)
  assert.equal(code, 0)
  assert.match(out, /^log_path +"\/var\/a" +user \/.*sworn\.yaml, locked$/m)
  assert.match(out, /^user +"bob" +user \/.*sworn\.yaml, locked$/m)
  assert.match(out, /^redact +\["a","b"\] +project \/.*sworn\.yaml, \/.*sworn\.yaml$/m)
  assert.match(out, /^on_audit_failure +"block" +default$/m)
  assert.match(err, /^sworn: .*sworn\.yaml audit\.log_path is not applied: locked by a file of higher trust \(config_tampered\)$/m)
  const json = JSON.parse((await sworn(['doctor', '--config', '--json'], mine)).out)
  assert.deepEqual(Object.keys(json.origins).toSorted(), Object.keys(json.values).toSorted())
  assert.deepEqual(json.locked, ['log_path', 'user'])
})

test('trust ends when the file changes, and can be forgotten', async () => {
  const mine = { cwd: temporary(), home: temporary() }
  const file = join(mine.cwd, 'sworn.yaml')
  writeFileSync(file, 'audit:\n  log_path: ./elsewhere\n')
  const path = async () => JSON.parse((await sworn(['doctor', '--config', '--json'], mine)).out).values.log_path
  assert.equal(await path(), join(mine.cwd, 'audit'))
  assert.equal((await sworn(['trust', '.'], mine)).code, 0)
  assert.equal(await path(), join(mine.cwd, 'elsewhere'))
  assert.equal((await sworn(['trust', '--forget'], mine)).code, 0)
  assert.equal(await path(), join(mine.cwd, 'audit'))
  assert.equal((await sworn(['trust', 'nowhere'], mine)).code, 2)
  writeFileSync(file, 'audit: {x: 1}')
  assert.match((await sworn(['trust', '.'], mine)).err, /unknown option "x"/)
})

test('policy check and explain: 0 allowed, 1 denied, 2 for a policy or call that cannot be read', async () => {
  const cwd = temporary()
  const policy = `apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec:\n  allowed_tools: [read]\n  tool_rules:\n    - {tool: write, action: block}\n`
  writeFileSync(join(cwd, 'agent.yaml'), policy)
  assert.match((await sworn(['policy', 'check', 'agent.yaml'], { cwd })).out, /allowed tools: read/)
  assert.equal((await sworn(['policy', 'explain', 'agent.yaml', 'read', '{"a":1}'], { cwd })).code, 0)
  const denied = await sworn(['policy', 'explain', 'agent.yaml', 'write', '--json'], { cwd })
  assert.equal(denied.code, 1)
  assert.equal(JSON.parse(denied.out).steps.at(-1).outcome, 'denies')
  writeFileSync(join(cwd, 'bad.yaml'), policy.replace('allowed_tools', 'alowed_tools'))
  const bad = await sworn(['policy', 'check', 'bad.yaml'], { cwd })
  assert.equal(bad.code, 2)
  assert.match(bad.err, /POLICY_INVALID .*alowed_tools.*bad\.yaml:5/s)
  assert.equal((await sworn(['policy', 'check', 'absent.yaml'], { cwd })).code, 2)
  assert.equal((await sworn(['policy', 'explain', 'agent.yaml', 'read', '{'], { cwd })).code, 2)
  assert.equal((await sworn(['policy', 'wave', 'agent.yaml'], { cwd })).code, 2)
})
