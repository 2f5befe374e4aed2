/** The contract of the command line: exit codes, errors, help, versions, spellings. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { later } from '../../../testkit/src/suite.ts'
import { COMMANDS } from '../src/commands/table.ts'
import { type CommandEntry, defineCommand } from '../src/frame/command.ts'
import { runWith } from '../src/frame/run.ts'
import { FORMAT, VERSION } from '../src/frame/version.ts'
import { sworn, temporary } from './support/io.ts'

test('without a command, and with --help, the commands are listed and nothing failed', async () => {
  for (const argv of [[], ['--help'], ['-h'], ['help']]) {
    const ran = await sworn(argv)
    assert.equal(ran.code, 0)
    for (const entry of COMMANDS) assert.equal(ran.out.includes(`  ${entry.name} `), !entry.hidden, entry.name)
  }
})

test('--version names version, format and Node, and the number is that of package.json', async () => {
  assert.equal((await sworn(['--version'])).out, `sworn ${VERSION}, format ${FORMAT}, node ${process.version}\n`)
  assert.equal(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version, VERSION)
})

for (const entry of COMMANDS) {
  test(`sworn ${entry.name} --help prints every flag and one real example`, async () => {
    const ran = await sworn([entry.name, '--help'])
    const command = await entry.load()
    assert.equal(ran.code, 0)
    assert.ok(ran.out.includes(`example: ${command.example}`))
    assert.match(command.example, new RegExp(`sworn ${entry.name}`))
    for (const name of Object.keys(command.flags)) assert.ok(ran.out.includes(`--${name}`), name)
    assert.equal((await sworn(['help', entry.name])).out, ran.out)
  })

  test(`sworn ${entry.name} with an unknown flag exits 2 and says which`, async () => {
    const ran = await sworn([entry.name, '--hlep'])
    assert.equal(ran.code, 2)
    assert.match(ran.err, /error: unknown flag --hlep, did you mean "--help"\?\nhint: /)
  })
}

test('on a terminal no line of a help text is wider than it, and no word of one is lost', async () => {
  for (const columns of [80, 120]) {
    for (const argv of [[], ...COMMANDS.map((entry) => [entry.name])]) {
      const { out } = await sworn([...argv, '--help'], { io: { isTTY: true, columns } })
      const [helped] = out.split('\nexample: ') // an example is one line, to be copied
      const wide = helped!.split('\n').filter((line) => line.length > columns && !/^(usage:| *-)/.test(line))
      assert.deepEqual(wide, [], `${argv} at ${columns}`)
      const words = (text: string) => text.split(/\s+/)
      assert.deepEqual(words(out), words((await sworn([...argv, '--help'])).out))
    }
  }
})

test('a misspelt command gets a suggestion, with its bytes escaped', async () => {
  assert.match((await sworn(['verfiy'])).err, /unknown command "verfiy", did you mean "verify"/)
  const hostile = await sworn(['\u001b[2J\u202e'])
  assert.equal(hostile.code, 2)
  assert.doesNotMatch(hostile.err, /[\u001b\u202e]/)
})

test('a missing value, a doubled flag, a value of a switch, a wrong choice and surplus arguments are usage errors', async () => {
  const wrong: [string[], RegExp][] = [
    [['query', '--since'], /--since needs a value: --since TIME/],
    [['query', '--limit', '1', '--limit', '2'], /--limit was given twice/],
    [['query', '--utc=yes'], /--utc is a switch/],
    [['query', '--format', 'jsno'], /takes one of table, tree, json, jsonl, csv, did you mean "json"/],
    [['query', '--decision', 'allow,dney'], /takes one of allow, deny, ask, did you mean "deny"/],
    [['query', 'a', 'b'], /at most 1 argument was expected, found 2/],
    [['query', '--limit', '0'], /--limit/],
    [['query', '--since', 'soon'], /--since/],
    [['tail', '-n', 'x'], /--lines/],
  ]
  for (const [argv, message] of wrong) {
    const ran = await sworn(argv)
    assert.equal(ran.code, 2, argv.join(' '))
    assert.match(ran.err, message)
    assert.ok(ran.err.endsWith(`\nhint: See \`sworn ${argv[0]} --help\`.\n`), ran.err)
    assert.doesNotMatch(ran.err, /\n\s+at /, 'no stack trace')
  }
})

const failing = (e: unknown): CommandEntry[] => [
  {
    name: 'fail',
    about: '',
    load: async () =>
      defineCommand({
        args: '',
        flags: {},
        example: 'sworn fail',
        run: () => {
          throw e
        },
      }),
  },
]

async function runFailing(e: unknown): Promise<{ code: number; err: string }> {
  const err: string[] = []
  const io = { err: (line: string) => void err.push(line), out: () => {}, env: {} }
  const code = await runWith(failing(e), ['fail'], io as unknown as Parameters<typeof runWith>[2]) // only what a failing command uses
  return { code, err: err.join('\n') }
}

test('configuration and usage exit 2, what kept us from looking exits 3, and nothing shows a stack', async () => {
  assert.equal((await runFailing(new SwornError('CONFIG_INVALID', 'x', 'audit.y'))).code, 2)
  assert.equal((await runFailing(new SwornError('LEDGER_BUSY', 'x'))).code, 3)
  assert.equal((await runFailing(Object.assign(new Error('x'), { code: 'EACCES', syscall: 'open', path: '/a\u001b' }))).code, 3)
  const full = await runFailing(Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 778 }))
  assert.deepEqual([full.code, full.err.split('\n')[0]], [3, 'error: IO_FAILED disk I/O error in SQLite'])
  for (const e of [new TypeError('odd'), Object.assign(new Error('no such table'), { errcode: 1 }), 'text', undefined]) {
    const { code, err } = await runFailing(e)
    assert.equal(code, 3)
    assert.match(err, /^error: unexpected .*\nhint: this is a defect/)
  }
})

test('the spelling of the AIP guide means verify', async () => {
  const cwd = temporary()
  const a = await sworn(['--verify-audit-log', 'absent.jsonl'], { cwd })
  const b = await sworn(['verify', 'absent.jsonl'], { cwd })
  assert.deepEqual(a, b)
  assert.equal(a.code, 3)
  assert.match((await sworn(['--verify-audit-log=absent.jsonl', '--signing-key', 'nonsense'], { cwd })).err, /error: /)
})

test('messages have one level everywhere: -q, -v, SWORN_LOG, in that order, and data is never one', { skip: later }, async () => {
  const cwd = temporary()
  const home = temporary()
  const at = (env: Record<string, string>) => ({ cwd, io: { env: { SWORN_HOME: home, ...env } } })
  await sworn(['record'], { ...at({}), stdin: '{"event_type":"data_access","target":"t"}\n' })
  const levels: [string[], Record<string, string>, boolean, boolean][] = [
    [[], {}, true, false],
    [['-q'], {}, false, false],
    [['--quiet'], { SWORN_LOG: 'debug' }, false, false],
    [[], { SWORN_LOG: 'error' }, false, false],
    [[], { SWORN_LOG: 'warn' }, false, false],
    [[], { SWORN_LOG: 'info' }, true, false],
    [['-v'], { SWORN_LOG: 'error' }, true, true],
    [[], { SWORN_LOG: 'debug' }, true, true],
  ]
  for (const [flags, env, info, debug] of levels) {
    const ran = await sworn(['query', ...flags], at(env))
    assert.equal(/^sworn: \d+ found/m.test(ran.err), info, JSON.stringify([flags, env]))
    assert.match(ran.out, /data_access/)
    assert.equal((await sworn(['record', ...flags], at(env))).err.includes('sworn: ledger '), debug)
  }
  const wrong = await sworn(['query'], at({ SWORN_LOG: 'loud' }))
  assert.deepEqual(
    [wrong.code, /error: CONFIG_INVALID one of error, warn, info, debug was expected \(at SWORN_LOG\)/.test(wrong.err)],
    [2, true],
  )
})
