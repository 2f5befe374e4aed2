/** Alerts of real ledgers: over history, live, by whom they may be configured, and killed. @module */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import { count, later } from '../../../testkit/src/suite.ts'
import { sworn, temporary } from './support/io.ts'
import { runProcess, startProcess } from './support/process.ts'

const jsonl = (events: readonly object[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('')
const failures = (n: number, user: string) =>
  Array.from({ length: n }, (_, i) => ({ event_type: 'auth_failure', user, timestamp: `2026-11-21T10:00:${10 + i}.000Z` }))
const MINE = 'audit: {alerts: {rules: [{name: mine, when: tool != null, by: [tool], cool_down: 1s}]}}\n'

interface Recorded {
  readonly event_id: string
  readonly metadata: { readonly rule: string; readonly by: { readonly tool?: string } }
}

/** The `security_alert` entries as they stand in the ledger. */
async function recordedAlerts(place: { cwd: string; home: string }): Promise<Recorded[]> {
  if (!existsSync(join(place.cwd, 'audit', 'segments'))) return []
  const { out } = await sworn(['query', 'audit', '--type', 'security_alert', '--format', 'jsonl', '--no-index'], place)
  return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
}

/** Those of the rule `mine`, when there are so many. */
async function untilRecorded(place: { cwd: string; home: string }, alerts: number): Promise<Recorded[]> {
  for (let found: Recorded[] = []; ; await wait(50)) {
    found = (await recordedAlerts(place)).filter(({ metadata }) => metadata.rule === 'mine')
    if (found.length >= alerts) return found
  }
}

describe('sworn alerts', () => {
  test('shows what the rules find, with values escaped, and exits 1; without any it exits 0', async () => {
    const at = { cwd: temporary(), home: temporary() }
    await sworn(['record'], { ...at, stdin: jsonl(failures(10, 'a')) })
    assert.equal((await sworn(['alerts'], at)).code, 0)
    const config = 'audit: {alerts: {rules: [{name: mine, events: [auth_failure], by: [user], threshold: {more_than: 9}}]}}'
    writeFileSync(join(at.cwd, 'rules.yaml'), config)
    await sworn(['record'], { ...at, stdin: jsonl(failures(10, 'eve\u001b[2J\u202e')) })
    const ran = await sworn(['alerts', '--config', 'rules.yaml', '--utc', '--rule', 'mine'], at)
    assert.equal(ran.code, 1, ran.err)
    const lines = ran.out.trim().split('\n')
    assert.equal(lines.length, 2)
    assert.match(lines[1]!, /^[0-9TZ:.-]{24} {2}warning {3}mine: 10 events in 1h, more than 9 \(user "eve.*"\) {2}\[seq \d+ to \d+\]$/)
    assert.ok(!ran.out.includes('\u001b') && !ran.out.includes('\u202e'))
    const { out } = await sworn(['alerts', '--json', '--severity', 'error'], at)
    assert.equal(JSON.parse(out).metadata.rule, 'auth_failure_spike')
    assert.equal((await sworn(['alerts', '--since', '2999-01-01'], at)).code, 0)
  })

  test('a project file that nobody trusts adds rules, and neither runs a program nor turns a rule off', async () => {
    const at = { cwd: temporary(), home: temporary() }
    const shown = async (alerts: string) => {
      writeFileSync(join(at.cwd, 'sworn.yaml'), `audit: {alerts: ${alerts}}\n`)
      return JSON.parse((await sworn(['doctor', '--config', '--json'], at)).out)
    }
    assert.deepEqual((await shown('{rules: [{name: mine}]}')).values.alerts, { rules: [{ name: 'mine' }] })
    for (const text of [
      '{actions: [{command: [id]}]}',
      '{disable: [gap]}',
      '{enabled: false}',
      '{rules: [], actions: [{command: [id]}]}',
    ]) {
      const { values, refusals } = await shown(text)
      assert.equal(values.alerts, undefined)
      assert.equal(refusals[0].key, 'alerts')
    }
  })

  for (const [what, alerts, said] of [
    ['a filter', "{rules: [{name: a, when: 'tool =='}]}", /sworn\.yaml:1:\d+ audit\.alerts\.rules\.0/],
    ['a word', '{rulez: []}', /did you mean "rules".*audit\.alerts\.rulez/],
    ['a kind', '{rules: [{name: a, thresold: {more_than: 1}}]}', /did you mean "threshold"/],
    ['a command that is a text', '{actions: [{command: reboot}]}', /array was expected .*audit\.alerts\.actions\.0\.command/],
  ] as const) {
    test(`configuration: ${what} that is wrong is refused with its place`, async () => {
      const cwd = temporary()
      writeFileSync(join(cwd, 'sworn.yaml'), `audit: {alerts: ${alerts}}\n`)
      const ran = await sworn(['alerts'], { cwd })
      assert.equal(ran.code, 2)
      assert.match(ran.err, said)
    })
  }
})

describe('live', { timeout: 240_000 }, () => {
  test('the process that records records each alert, runs its program without a shell, and says it', { skip: later }, async () => {
    const at = { cwd: temporary(), home: temporary() }
    const acted = join(at.cwd, 'acted')
    const write = `require('node:fs').appendFileSync(process.argv[1], require('node:fs').readFileSync(0) + JSON.stringify([process.argv.slice(2), Object.keys(process.env)]))`
    const action = { command: [process.execPath, '-e', write, acted, '$(id) `id` *'] }
    const rules = [{ name: 'mine', when: 'tool != null', by: ['tool'] }]
    writeFileSync(join(at.cwd, 'own.yaml'), JSON.stringify({ audit: { alerts: { rules, actions: [action] } } }))
    const env = { SWORN_CONFIG: join(at.cwd, 'own.yaml'), SECRET_OF_OURS: 'x' }
    const recorder = startProcess(['recorder'], { ...at, env })
    await recorder.until('recording')
    const tool = '$(reboot)\n; rm -rf /\u001b[2J'
    await runProcess(['record'], { ...at, env }, jsonl([{ event_type: 'tool_call_start', tool }]))
    await recorder.until('sworn: alert mine')
    while (!existsSync(acted)) await wait(20)
    recorder.process.kill('SIGTERM')
    await recorder.code
    const [alert, program] = readFileSync(acted, 'utf8').split('\n')
    assert.equal(JSON.parse(alert!).metadata.by.tool, tool)
    const [args, names] = JSON.parse(program!)
    assert.deepEqual(args, ['$(id) `id` *'])
    assert.ok(names.includes('PATH') && !names.includes('SECRET_OF_OURS') && !names.includes('SWORN_HOME'))
    const [recorded, ...more] = await recordedAlerts(at)
    assert.equal(recorded!.event_id, JSON.parse(alert!).event_id)
    assert.deepEqual(more, [])
  })

  test('killed at random while it looks: no alert is lost, none is doubled, all are those of history', { skip: later }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 2500 }), { minLength: 4, maxLength: 4 }), async (delays) => {
        const at = { cwd: temporary(), home: temporary() }
        writeFileSync(join(at.cwd, 'own.yaml'), MINE)
        const env = { SWORN_CONFIG: join(at.cwd, 'own.yaml') }
        for (const [life, ms] of delays.entries()) {
          const recorder = startProcess(['recorder'], { ...at, env })
          await recorder.until('recording')
          const events = Array.from({ length: 4 }, (_, i) => ({ event_type: 'tool_call_end', tool: `t${life}-${i}` }))
          await runProcess(['record'], { ...at, env }, jsonl(events))
          await wait(ms)
          recorder.process.kill('SIGKILL')
          await recorder.code
        }
        const last = startProcess(['recorder'], { ...at, env })
        const found = await untilRecorded(at, 16)
        last.process.kill('SIGTERM')
        await last.code
        const tools = found.map(({ metadata }) => metadata.by.tool)
        assert.deepEqual([new Set(tools).size, tools.length], [16, 16])
        const { out } = await sworn(['alerts', 'audit', '--config', 'own.yaml', '--rule', 'mine', '--json'], {
          ...at,
          io: { now: Date.now },
        })
        const history = out
          .trim()
          .split('\n')
          .map((line): string => JSON.parse(line).event_id)
        assert.deepEqual(found.map(({ event_id }) => event_id).toSorted(), history.toSorted())
      }),
      { numRuns: count({ fast: 1, ci: 1, full: 10 }) },
    )
  })
})
