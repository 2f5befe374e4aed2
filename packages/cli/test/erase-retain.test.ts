/** `sworn erase` and `sworn retain`, and docs/guides/erasure-and-retention.md: its very commands run. @module */
import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { addHold } from '@sworn/analyze/retention'
import { formsOf } from '../../../testkit/src/forms.ts'
import { count, later } from '../../../testkit/src/suite.ts'
import { openRecorder } from '../src/index.ts'
import { checkSection, readSections } from './support/guide.ts'
import { sworn, temporary } from './support/io.ts'
import { makeOldLedger } from './support/old-ledger.ts'

const ADDRESS = 'Zürich, Langstraße "12" \\ 3rd floor'
const WHY = ['--reason', 'GDPR Art. 17', '--request', 'R-1']
const CONFIG = 'audit:\n  redact:\n    - { path: arguments.address, action: commit }\n    - { path: result.address, action: commit }\n'

/** A folder with a configuration that commits addresses, trusted because it is named. */
function place(config = CONFIG) {
  const cwd = temporary()
  const home = temporary()
  writeFileSync(join(cwd, 'sworn.yaml'), config, { mode: 0o600 })
  const env = { SWORN_HOME: home, HOME: home }
  /** By a clock. */
  const at =
    (now: () => number) =>
    (...argv: string[]) =>
      sworn(argv, { cwd, home, io: { env: { ...env, SWORN_CONFIG: 'sworn.yaml' }, now } })
  return {
    cwd,
    home,
    ledger: join(cwd, 'audit'),
    open: () => openRecorder({ config: 'sworn.yaml', cwd, env }),
    run: at(Date.now),
    at,
  }
}

function event(user: string, address: string) {
  return { event_type: 'data_access', user, target: 'crm', arguments: { address }, result: { address } }
}

function filesWith(value: string, ...directories: string[]): string[] {
  const files = directories.flatMap((directory) => globSync('**/*', { cwd: directory }).map((name) => join(directory, name)))
  assert.ok(files.length > 10)
  return files.filter((file) => statSync(file).isFile() && formsOf(value).some((form) => readFileSync(file).includes(form)))
}

describe('sworn erase', () => {
  it('leaves no byte of an erased value in any file of the ledger or of the home, index, WAL and free pages included', async () => {
    const at = place()
    const holder = await at.open()
    const client = await at.open() // hands over to the first
    for (const recorder of [holder, client]) await recorder.record(event('alice@example.com', ADDRESS), { level: 'sync' })
    await holder.record(event('bob', 'Bern'), { level: 'sync' })
    assert.equal(readdirSync(join(at.ledger, 'vault')).length, 1)
    const ids = readFileSync(join(at.ledger, 'vault', readdirSync(join(at.ledger, 'vault'))[0]!), 'utf8')
      .trimEnd()
      .split('\n')
    assert.equal(ids.length, 6, 'two values of each of three events, whoever handed them over')
    assert.match(
      (await at.run('erase', 'audit', '--subject', 'alice@example.com', ...WHY, '--dry-run')).out,
      /4 committed values would be erased/,
    )
    await client.close()
    await holder.close()
    await at.run('query', 'audit', '--text', 'crm')
    const before = filesWith(ADDRESS, at.cwd, at.home)
    const erased = JSON.parse((await at.run('erase', 'audit', '--subject', 'alice@example.com', ...WHY, '--json')).out)
    assert.deepEqual(
      [erased.targets.length, erased.rows, erased.key, erased.recorded.length, erased.not_erased.in_clear.records],
      [4, 4, true, 1, 2],
    )
    assert.deepEqual([before, filesWith(ADDRESS, at.cwd, at.home)], [[], []])
    assert.equal(existsSync(join(at.ledger, 'audit.db')), false)
    const verified = await at.run('verify', 'audit', '--strict')
    assert.deepEqual(
      [verified.code, /4 committed values erased/.test(verified.out), /2 committed values withheld/.test(verified.out)],
      [0, true, true],
      verified.out,
    )
  })

  it('a second run changes no byte and says so', async () => {
    const at = place()
    const recorder = await at.open()
    await recorder.record(event('alice', ADDRESS), { level: 'sync' })
    await recorder.close()
    await at.run('erase', 'audit', '--subject', 'alice', ...WHY)
    const [segment] = readdirSync(join(at.ledger, 'segments'))
    const bytes = readFileSync(join(at.ledger, 'segments', segment!))
    const again = await at.run('erase', 'audit', '--subject', 'alice', ...WHY)
    assert.deepEqual([again.code, again.out.split('\n')[0]?.split(' in ')[0]], [0, 'nothing of this subject is committed'])
    assert.deepEqual(readFileSync(join(at.ledger, 'segments', segment!)), bytes)
  })

  const hostile = ['../../../etc/passwd', '..', '/', 'a/../../b', '\u202e\u0000\n', '$(touch x)', '%2e%2e%2f', 'x'.repeat(1024)]
  it('names that are made to be paths, commands or control characters harm nothing', async () => {
    const at = place()
    const recorder = await at.open()
    const tried = hostile.slice(0, count({ fast: 2, ci: hostile.length }))
    for (const name of tried) await recorder.record(event(name, 'Chur'), { level: 'sync' })
    await recorder.close()
    const around = () => [...readdirSync(at.cwd), ...readdirSync(at.home)].toSorted()
    const before = around()
    for (const name of tried) {
      const { code, out } = await at.run('erase', 'audit', '--subject', name, ...WHY)
      assert.deepEqual([code, /^2 committed values erased/.test(out)], [0, true], out)
      assert.doesNotMatch(out, /[\u202e\u0000]/)
    }
    assert.deepEqual(around(), before)
    assert.equal((await at.run('verify', 'audit')).code, 0)
  })

  const refused: [string, string[]][] = [
    ['no subject', ['--reason', 'x', '--request', 'y']],
    ['no reason', ['--subject', 'alice', '--request', 'y']],
    ['no request', ['--subject', 'alice', '--reason', 'x']],
    ['a reason that names the subject', ['--subject', 'alice', '--reason', 'asked by Alice', '--request', 'y']],
    ['a request that names the subject', ['--subject', 'alice', '--reason', 'x', '--request', 'alice-1']],
    ['a subject beyond 1,024 characters', ['--subject', 'x'.repeat(1025), ...WHY]],
    ['a wait that is no duration', ['--subject', 'alice', ...WHY, '--wait', 'long']],
  ]
  it('refuses what it cannot do, and changes nothing', async () => {
    const at = place()
    const recorder = await at.open()
    await recorder.record(event('alice', ADDRESS), { level: 'sync' })
    await recorder.close()
    for (const [what, argv] of refused) {
      const { code, err } = await at.run('erase', 'audit', ...argv)
      assert.deepEqual([code, /^error: USAGE/.test(err)], [2, true], `${what}: ${err}`)
      assert.doesNotMatch(err, /Alice|x{100}/)
    }
    assert.match((await at.run('erase', 'audit', '--subject', 'alice', ...WHY, '--dry-run')).out, /^2 committed values would be/)
    assert.equal((await at.run('erase', 'nowhere', '--subject', 'alice', ...WHY)).code, 3)
  })
})

const DAYS = 'audit:\n  retention_days: 365\n'

/** A ledger of which everything but the active segment is old. */
function oldPlace(config = DAYS) {
  const at = place(config)
  makeOldLedger(at.ledger, at.home)
  return { ...at, segments: () => readdirSync(join(at.ledger, 'segments')).filter((name) => name.includes('.jsonl')) }
}

describe('sworn retain', () => {
  it('says what would go, drops it, and leaves a ledger that verifies', async () => {
    const at = oldPlace()
    const count = at.segments().length
    assert.ok(count >= 4)
    const would = await at.run('retain', 'audit', '--dry-run')
    assert.match(would.out, new RegExp(`^seq 0 to \\d+ \\(${count - 1} segments\\) would be dropped\n.*the active segment always stays`))
    assert.equal(at.segments().length, count)
    const asked = await at.run('retain', 'audit')
    assert.deepEqual([asked.code, /--unanchored/.test(asked.err), at.segments().length], [2, true, count])
    const done = await at.run('retain', 'audit', '--unanchored')
    assert.deepEqual([done.code, /dropped, log.prune at seq=\d+/.test(done.out), at.segments().length], [0, true, 1], done.out + done.err)
    const verified = await at.run('verify', 'audit')
    assert.deepEqual([verified.code, /pruned by policy "others 365 d"/.test(verified.out)], [0, true], verified.out)
    assert.match((await at.run('retain', 'audit', '--unanchored')).out, /nothing is old enough/)
    assert.doesNotMatch((await at.run('query', 'audit', '--format', 'jsonl')).out, /"target":"crm\/0"/)
  })

  it('archives and packs: the archive holds the segments, the rest is packed and reads as before', async () => {
    const at = oldPlace('audit:\n  retention:\n    classes:\n      - { days: 396 }\n    archive: ./old\n    compress: gzip\n')
    const before = at.segments().length
    const done = JSON.parse((await at.run('retain', 'audit', '--unanchored', '--json')).out)
    assert.ok(done.segments > 0 && done.packed > 0 && done.segments + done.packed >= before - 1, JSON.stringify(done))
    const [own] = readdirSync(join(at.cwd, 'old'))
    assert.equal(readdirSync(join(at.cwd, 'old', own!)).length, done.segments)
    assert.equal(done.archive, join(at.cwd, 'old', own!))
    makeOldLedger(join(at.cwd, 'second'), at.home)
    assert.equal((await at.run('retain', 'second', '--unanchored')).code, 0)
    assert.equal(readdirSync(join(at.cwd, 'old')).length, 2, 'each ledger has its own folder: their segments have the same names')
    assert.equal(at.segments().filter((name) => name.endsWith('.gz')).length, done.packed)
    assert.equal((await at.run('verify', 'audit')).code, 0)
    assert.match((await at.run('query', 'audit', '--format', 'jsonl')).out, /"target":"crm\/9"/)
  })

  it('a legal hold keeps what it names, is recorded, and is released', async () => {
    const at = oldPlace()
    const added = await at.run('retain', 'hold', 'add', 'case-7', 'audit', '--where', 'user == "bob"', '--reason', 'litigation')
    assert.deepEqual([added.code, added.out], [0, 'legal hold case-7 added\n'], added.err)
    const turned = await at.run('retain', 'hold', 'add', 'audit', 'case-8', '--where', 'user == "bob"', '--reason', 'litigation')
    assert.equal(turned.code, 2)
    assert.match(turned.err, /^error: USAGE hold add NAME PATH was expected, a ledger and then a name were found$/m)
    assert.match((await at.run('retain', 'audit', '--dry-run')).out, /nothing is old enough.*\n.*seq \d+ is under the legal hold case-7/)
    assert.match((await at.run('retain', 'hold', 'list', 'audit')).out, /case-7 .*user == "bob" +litigation/)
    const released = await at.run('retain', 'hold', 'release', 'case-7', 'audit', '--reason', 'settled')
    assert.equal(released.code, 0, released.err)
    const recorded = (await at.run('query', 'audit', '--type', 'config_reloaded', '--format', 'jsonl')).out.trimEnd().split('\n')
    const said = recorded.map((line) => JSON.parse(line)).filter(({ target }) => target === 'legal_hold')
    assert.deepEqual(
      said.map(({ metadata }) => [metadata.hold.action, metadata.hold.name, metadata.hold.reason]),
      [
        ['add', 'case-7', 'litigation'],
        ['release', 'case-7', 'settled'],
      ],
    )
    assert.match((await at.run('retain', 'audit', '--dry-run')).out, /would be dropped/)
  })

  it('a hold that is added while the ledger is verified keeps what it names', async () => {
    const at = oldPlace()
    const [id] = readdirSync(join(at.home, 'keys'))
    const before = at.segments().length
    let asked = 0
    const counting = () => Date.now() + 0 * asked++
    await at.at(counting)('retain', 'audit', '--dry-run')
    const planned = asked
    asked = 0
    const hold = { name: 'late', where: 'target == "crm/4"', reason: 'litigation', since: '2026-01-01T00:00:00Z' }
    const adding = () => {
      if (asked++ === planned) addHold(join(at.home, 'keys', id!), hold) // the plan was made
      return Date.now()
    }
    const done = await at.at(adding)('retain', 'audit', '--unanchored')
    assert.match(done.out, /seq \d+ is under the legal hold late/, done.err)
    assert.ok(at.segments().length > 1 && at.segments().length < before, at.segments().join(' '))
    assert.match((await at.run('query', 'audit', '--format', 'jsonl')).out, /"target":"crm\/4"/)
  })

  it('what a legal hold keeps is not erased, and everything else is', async () => {
    const at = place()
    const recorder = await at.open()
    for (const user of ['alice', 'bob']) await recorder.record(event(user, ADDRESS), { level: 'sync' })
    await recorder.close()
    await at.run('retain', 'hold', 'add', 'case-9', 'audit', '--where', 'user == "alice"', '--reason', 'litigation')
    const erase = (subject: string, ...flags: string[]) => at.run('erase', 'audit', '--subject', subject, ...WHY, ...flags)
    for (const flags of [[], ['--dry-run']]) {
      const { code, err } = await erase('alice', ...flags)
      assert.deepEqual(
        [code, /it is under the legal hold case-9; release that first: nothing was erased \(at seq=\d+\)/.test(err)],
        [2, true],
        err,
      )
    }
    assert.match((await erase('bob')).out, /^2 committed values erased/)
    assert.match((await at.run('verify', 'audit', '--strict')).out, /2 committed values erased.*\n.*2 committed values withheld/)
    await at.run('retain', 'hold', 'release', 'case-9', 'audit', '--reason', 'settled')
    assert.match((await erase('alice')).out, /^2 committed values erased/)
  })

  it('drops nothing of a ledger that does not hold: the evidence of the change would go with it', async () => {
    const at = oldPlace()
    const [first] = at.segments().toSorted()
    const file = join(at.ledger, 'segments', first!)
    const text = readFileSync(file, 'utf8')
    const { chmodSync } = await import('node:fs')
    chmodSync(file, 0o600)
    writeFileSync(file, text.replace('"user":"alice"', '"user":"carol"'))
    const { code, out } = await at.run('retain', 'audit', '--unanchored')
    assert.deepEqual([code, /^nothing was dropped: .*entry_hash_mismatch/.test(out)], [1, true], out)
    assert.ok(existsSync(file))
  })

  it('refuses what it cannot do', async () => {
    const at = oldPlace('audit: {}\n')
    for (const [argv, message] of [
      [['retain', 'audit'], /no retention is configured/],
      [['retain', 'hold', 'add', 'a', 'audit', '--reason', 'r'], /--where/],
      [['retain', 'hold', 'add', '../a', 'audit', '--where', 'true', '--reason', 'r'], /a name of lowercase letters/],
      [['retain', 'hold', 'release', 'a', 'audit', '--reason', 'r'], /no hold of this name/],
      [['retain', 'hold', 'drop', 'a', 'audit'], /hold list, hold add or hold release/],
      [['retain', 'a', 'b'], /one PATH/],
    ] as const) {
      const { code, err } = await at.run(...argv)
      assert.deepEqual([code, message.test(err)], [2, true], `${argv.join(' ')}: ${err}`)
    }
  })
})

const GUIDE = fileURLToPath(new URL('../../../docs/guides/erasure-and-retention.md', import.meta.url))
const OLD = fileURLToPath(new URL('./support/old-ledger.ts', import.meta.url))
const BEFORE = `export SWORN_RECORDER=off; '${process.execPath}' --conditions=sworn-source --disable-warning=ExperimentalWarning '${OLD}' ./old "$SWORN_HOME"`
for (const section of readSections(readFileSync(GUIDE, 'utf8'), 'What is erased how').filter(({ steps }) => steps.length > 0)) {
  test(`the commands of "${section.title}" print what the guide shows`, { timeout: 120_000, skip: later }, () =>
    checkSection(section, BEFORE),
  )
}
