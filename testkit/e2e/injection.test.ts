/** Control characters and bidirectional overrides in names, users and paths never reach a terminal. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { type Ran, sworn } from '../../packages/cli/test/support/io.ts'
import { start } from './support/cli.ts'
import { SERVERS } from './support/mcp.ts'
import { temporary } from './support/temporary.ts'

/** Clears the screen, colours, sets the title, goes back, overrides direction, hides, breaks lines. */
const ATTACK = '\u001b[2J\u001b[31m\u001b]0;owned\u0007\r\b\u009b1m\u202egnp.exe\u2066\u200b\u200e\u2028\u2029\ufeff\u00ad\u{e0041}\u007f'
/** What no terminal may get; LF ends our own lines. */
const HOSTILE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const FOLDER = 'a\u001b[31m\u202eb\u2066'

const cwd = join(temporary(), FOLDER)
const home = temporary()

function checkEscaped(ran: Pick<Ran, 'out' | 'err'>, shows: RegExp): void {
  assert.doesNotMatch(ran.out + ran.err, HOSTILE)
  assert.match(ran.out + ran.err, shows)
}

before(async () => {
  mkdirSync(cwd, { recursive: true })
  const event = {
    event_type: `e${ATTACK}`,
    tool: `t${ATTACK}`,
    server: `s${ATTACK}`,
    user: `u${ATTACK}`,
    target: `p${ATTACK}`,
    reason: `r${ATTACK}`,
  }
  const denied = { ...event, event_type: 'authorization_decision', decision: 'deny', arguments: { [`k${ATTACK}`]: ATTACK } }
  const failed = { ...event, event_type: 'tool_call_error', error: ATTACK, error_type: ATTACK, agent: { name: ATTACK } }
  const ran = await sworn(['record', '--agent', `agent${ATTACK}`], {
    cwd,
    home,
    stdin: [event, denied, failed].map((e) => `${JSON.stringify(e)}\n`).join(''),
  })
  assert.equal(ran.code, 0, ran.err)
})

describe('recorded hostile names are shown escaped', () => {
  for (const isTTY of [false, true]) {
    for (const argv of [['tail'], ['query'], ['tail', '--utc'], ['query', '--decision', 'deny']]) {
      test(`by sworn ${argv.join(' ')}${isTTY ? ' on a terminal' : ''}`, async () => {
        const ran = await sworn(argv, { cwd, home, io: { isTTY, columns: 4000, env: { SWORN_HOME: home, NO_COLOR: '1' } } })
        checkEscaped(ran, /t\\u001b\[2J.*\\u202e/)
      })
    }
  }

  test('by sworn verify, when it is the origin of a foreign log', async () => {
    const open = {
      timestamp: '2026-01-01T00:00:00.000Z',
      event_type: 'log.open',
      format: 'agent-audit-log/v1',
      hash: 'sha256',
      origin: ATTACK,
      vkey: ATTACK,
      log_id: ATTACK,
    }
    const hash = '0'.repeat(64)
    const line = `${JSON.stringify(open).slice(0, -1)},"seq":0,"previous_hash":"${hash}","entry_hash":"${hash}"}\n`
    writeFileSync(join(cwd, 'forged.jsonl'), line)
    checkEscaped(await sworn(['verify', 'forged.jsonl'], { cwd, home }), /entry_hash_mismatch/)
    checkEscaped(await sworn(['doctor', 'forged.jsonl'], { cwd, home }), /WRONG/)
  })
})

describe('a hostile path is shown escaped', () => {
  const hostile = join(cwd, 'audit')
  const escaped = /a\\u001b\[31m\\u202eb\\u2066/
  const cases: Readonly<Record<string, readonly string[]>> = {
    'by verify': ['verify', hostile],
    'by verify of nothing': ['verify', join(cwd, 'none')],
    'by doctor': ['doctor', hostile],
    'by doctor --config': ['doctor', hostile, '--config'],
    'by keys list': ['keys', 'list'],
    'by tail of nothing': ['tail', join(cwd, 'none')],
    'by query of a file that is no log': ['query', join(cwd, 'text')],
    'by policy check': ['policy', 'check', join(cwd, 'text')],
    'by trust': ['trust', join(cwd, 'text')],
    'by record of a file that is no log': ['record', join(cwd, 'text')],
    'by install': ['install', 'mcp-client', join(cwd, 'client.json'), '--yes', '--audit-log', hostile],
    'by uninstall': ['uninstall', 'mcp-client', join(cwd, 'client.json'), '--yes'],
  }
  before(() => {
    writeFileSync(join(cwd, 'text'), 'text\n')
    const servers = { [`name${ATTACK}`]: { command: `node${ATTACK}`, args: [ATTACK], env: { [ATTACK]: ATTACK } } }
    writeFileSync(join(cwd, 'client.json'), `${JSON.stringify({ mcpServers: servers })}\n`)
    writeFileSync(join(cwd, 'raw.json'), `{"mcpServers": {"name\u202e\u200b": {"command": "node\u2066", "args": []}}}\n`)
  })
  for (const [title, argv] of Object.entries(cases)) test(title, async () => checkEscaped(await sworn(argv, { cwd: home, home }), escaped))

  test("and so is a hostile server in install's diff", async () => {
    checkEscaped(await sworn(['install', 'mcp-client', join(cwd, 'raw.json'), '--yes'], { cwd: home, home }), /name\\u202e\\u200b/)
  })
})

test('what the proxy says about a hostile ledger path is escaped', { timeout: 120_000 }, async () => {
  const running = start(['proxy', '--audit-log', join(cwd, 'text'), '--', ...SERVERS.testkit()], { cwd: home, home })
  running.process.stdin.end()
  assert.equal((await running.ended).code, 3)
  checkEscaped({ out: running.out(), err: running.err() }, /LEDGER_DETACHED .*a\\u001b/)
})

test('an unknown command and an unknown flag are shown escaped', async () => {
  checkEscaped(await sworn([`verify${ATTACK}`], { cwd, home }), /unknown command/)
  checkEscaped(await sworn(['verify', `--${ATTACK}`], { cwd, home }), /unknown flag/)
})
