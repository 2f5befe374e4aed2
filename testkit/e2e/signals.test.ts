/** Ctrl-C, SIGTERM and SIGHUP: everything is flushed, the log is stopped and signed, nobody is left behind. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { later } from '../src/suite.ts'
import { inherited, type Place, type Running, SWORN, start, sworn } from './support/cli.ts'
import { childrenOf, isAlive, SERVERS } from './support/mcp.ts'
import { temporary } from './support/temporary.ts'

const EVENT = '{"event_type":"data_access","target":"crm.contacts"}\n'
const HELLO = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
})}\n`
const call = (id: number) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: { words: `w${id}` } } })}\n`

interface Case {
  readonly argv: readonly string[]
  /** Resolves when the process is at work. */
  readonly busy: (running: Running) => Promise<void>
  /** How it ends on SIGINT and SIGTERM. */
  readonly exit: Readonly<Record<'SIGINT' | 'SIGTERM', number>>
}

const interrupted = { SIGINT: 130, SIGTERM: 143 }

const CASES: Readonly<Record<string, Case>> = {
  proxy: {
    argv: ['proxy', '--', ...SERVERS.testkit()],
    exit: interrupted,
    async busy({ process: child, until }) {
      child.stdin.write(HELLO)
      await until((out) => out.includes('"id":1'))
      for (let id = 2; id < 12; id++) child.stdin.write(call(id))
      await until((out) => out.includes('w11'))
    },
  },
  recorder: { argv: ['recorder'], exit: { SIGINT: 0, SIGTERM: 0 }, busy: ({ until }) => until((_out, err) => err.includes('recording')) },
  record: {
    argv: ['record'],
    exit: interrupted,
    async busy({ process: child, until }) {
      child.stdin.write(EVENT.repeat(50))
      await until((out) => out.split('\n').length > 50)
    },
  },
}

const segmentsOf = (cwd: string) => readdirSync(join(cwd, 'audit', 'segments')).filter((name) => name.endsWith('.jsonl'))
const linesOf = (cwd: string): Record<string, unknown>[] =>
  segmentsOf(cwd).flatMap((name) =>
    readFileSync(join(cwd, 'audit', 'segments', name), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  )

async function checkStopped(place: Place, err: string): Promise<void> {
  assert.doesNotMatch(err, /\n\s+at |Error:/)
  assert.deepEqual(
    linesOf(place.cwd)
      .slice(-2)
      .map((e) => e.event_type),
    ['log.stop', 'log.checkpoint'],
  )
  for (const name of ['log.lock', 'log.sock']) assert.ok(!existsSync(join(place.cwd, 'audit', name)), name)
  const verified = await sworn(['verify', '--require', 'signed'], place)
  assert.equal(verified.code, 0, verified.out + verified.err)
}

for (const [name, { argv, busy, exit }] of Object.entries(CASES)) {
  describe(`sworn ${name}`, () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      test(`on ${signal} stops the log, signs it, leaves no process and exits ${exit[signal]}`, {
        skip: signal === 'SIGINT' && later,
        timeout: 120_000,
      }, async () => {
        const place: Place = { cwd: temporary(), home: temporary() }
        const running = start(argv, place)
        await busy(running)
        const children = childrenOf(running.process.pid!)
        const answered = running
          .out()
          .split('\n')
          .filter((line) => line.includes('"seq"')).length
        running.process.kill(signal)
        assert.deepEqual(await running.ended, { code: exit[signal], signal: null }, running.err())
        await checkStopped(place, running.err())
        for (const pid of children) assert.ok(!isAlive(pid))
        assert.ok(linesOf(place.cwd).filter((e) => e.event_type === 'data_access').length >= answered)
      })
    }

    test('goes on after SIGHUP', { skip: name !== 'proxy' && later, timeout: 120_000 }, async () => {
      const place: Place = { cwd: temporary(), home: temporary() }
      const running = start(argv, place)
      await busy(running)
      running.process.kill('SIGHUP')
      await running.until((_out, err) => err.includes('reopened on SIGHUP'))
      running.process.kill('SIGTERM')
      assert.deepEqual(await running.ended, { code: exit.SIGTERM, signal: null }, running.err())
      await checkStopped(place, running.err())
    })
  })
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`sworn tail -f ends on ${signal} with exit code 0 and has shown what was there`, {
    skip: signal === 'SIGTERM' && later,
    timeout: 120_000,
  }, async () => {
    const place: Place = { cwd: temporary(), home: temporary() }
    await sworn(['record'], place, EVENT)
    const running = start(['tail', '-f'], place)
    await running.until((out) => out.includes('log.stop'))
    await sworn(['record'], place, EVENT)
    await running.until((out) => out.split('log.stop').length === 3)
    running.process.kill(signal)
    assert.deepEqual(await running.ended, { code: 0, signal: null })
    assert.equal(running.err(), '')
    assert.equal(running.out().split('crm.contacts').length, 3)
  })
}

test('sworn sql is ended by SIGINT and SIGTERM in the middle of a statement without end', { timeout: 120_000 }, async () => {
  const place: Place = { cwd: temporary(), home: temporary() }
  await sworn(['record'], place, EVENT)
  const endless = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x = 1'
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const running = start(['sql', endless, '--format', 'jsonl'], place)
    await running.until((out) => out.includes('{"x":1}'))
    running.process.kill(signal)
    assert.deepEqual(await running.ended, { code: null, signal })
    assert.equal(running.err(), '')
  }
})

for (const command of ['query', 'report', 'metrics']) {
  test(`sworn ${command} says that stdout takes no more`, {
    skip: existsSync('/dev/full') ? false : 'no /dev/full here',
    timeout: 120_000,
  }, async () => {
    const place: Place = { cwd: temporary(), home: temporary(), wrap: ['sh', '-c', '"$@" > /dev/full', 'sh'] }
    await sworn(['record'], { ...place, wrap: [] }, EVENT)
    const { code, err } = await sworn([command], place)
    assert.equal(code, 3)
    assert.match(err, /error: IO_FAILED ENOSPC in write \(at stdout\)\nhint: /)
  })
}

test('a proxy whose client vanishes ends its server, and the log is stopped and signed', { timeout: 120_000 }, async () => {
  const place: Place = { cwd: temporary(), home: temporary() }
  const running = start(CASES.proxy!.argv, place)
  await CASES.proxy!.busy(running)
  const children = childrenOf(running.process.pid!)
  running.process.stdin.end()
  assert.equal((await running.ended).code, 0, running.err())
  await checkStopped(place, running.err())
  for (const pid of children) assert.ok(!isAlive(pid))
})

for (const [name, argv] of Object.entries({
  'query --format jsonl': ['query', '--format', 'jsonl'],
  'query --format table': ['query', '--quiet'],
  'query --format csv': ['query', '--format', 'csv'],
  'query --json': ['query', '--json'],
  tail: ['tail', '-n', '99999'],
})) {
  test(`sworn ${name} | head -1 ends quietly`, { skip: name !== 'tail' && later, timeout: 120_000 }, async () => {
    const place: Place = { cwd: temporary(), home: temporary() }
    await sworn(['record', 'events'], place, EVENT.repeat(5000))
    const script = '"$@" events | head -n 1'
    const env = { ...inherited(), SWORN_HOME: place.home }
    const [command, ...flags] = [...SWORN, ...argv]
    const ran = spawnSync('bash', ['--norc', '-o', 'pipefail', '-c', script, 'bash', command!, ...flags], {
      cwd: place.cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    assert.deepEqual([ran.status, ran.stderr], [0, ''])
    assert.equal(ran.stdout.split('\n').length, 2)
  })
}
