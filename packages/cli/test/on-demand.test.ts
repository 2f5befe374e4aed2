/** Short-lived commands start the recorder of their ledger and hand over to it. Real processes. @module */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { later } from '../../../testkit/src/suite.ts'
import { type OpenSurroundings, openAll } from '../src/open-recorder.ts'
import { sworn, temporary } from './support/io.ts'
import { gone, type Place, recorderOf, runProcess, startProcess } from './support/process.ts'

const events = (who: string) =>
  Array.from({ length: 20 }, (_, n) => `${JSON.stringify({ event_type: 'data_access', target: `${who}-${n}` })}\n`).join('')

function place(): Place & { readonly ledger: string } {
  const cwd = realpathSync(temporary())
  return { cwd, home: temporary(), ledger: join(cwd, 'audit') }
}

test('two `sworn record` in parallel without a recorder leave one chain and, after its idle time, no process', {
  skip: later,
  timeout: 120_000,
}, async () => {
  const here = place()
  const ran = await Promise.all(['a', 'b'].map((who) => runProcess(['record', '--idle-exit', '1s'], here, events(who))))
  assert.deepEqual(
    ran.map(({ code, err }) => [code, err]),
    [
      [0, ''],
      [0, ''],
    ],
  )
  const answers = ran.flatMap(({ out }) => out.trim().split('\n'))
  assert.equal(new Set(answers.map((line) => JSON.parse(line).seq)).size, 40)
  await gone(['recorder', here.ledger])
  assert.equal(recorderOf(here.ledger), undefined)
  const found = await sworn(['query', '--type', 'data_access', '--format', 'jsonl', '--limit', '100'], here)
  assert.equal(found.out.trim().split('\n').length, 40)
  assert.equal((await sworn(['verify', '--require', 'signed'], here)).code, 0)
})

test('who expects to end soon hands over to the recorder process that it started, and never appends itself', {
  timeout: 120_000,
}, async () => {
  const here = place()
  let started = 0
  const surroundings: OpenSurroundings = {
    signals: process,
    say: () => {},
    shortLived: true,
    patience: { spawnMs: 30_000, greetMs: 30_000 }, // a busy machine may take longer than a command waits
    startRecorder(ledger) {
      started++
      startProcess(['recorder', ledger, '--idle-exit', '1s'], here)
    },
  }
  const { recorder } = await openAll({ cwd: here.cwd, env: { SWORN_HOME: here.home } }, surroundings)
  const { seq } = (await recorder.record({ event_type: 'data_access', target: 't' }, { level: 'sync' })) as { seq: number } // sync: never queued
  assert.ok(seq > 0)
  const holder = recorderOf(here.ledger)
  assert.deepEqual([started, holder !== process.pid], [1, true])
  await recorder.close()
  await gone(['recorder', here.ledger])
  const starts = await sworn(['query', '--type', 'log.start', '--format', 'jsonl'], here)
  const [start, ...more] = starts.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual([start.pid, start.scanner.name, more], [holder, 'sworn-dlp', []])
})

test('with SWORN_RECORDER=off the command records by itself and leaves no process', { skip: later, timeout: 120_000 }, async () => {
  const here = place()
  const ran = await runProcess(['record'], { ...here, env: { SWORN_RECORDER: 'off' } }, events('a'))
  assert.equal(ran.code, 0, ran.err)
  assert.equal(recorderOf(here.ledger), undefined)
  assert.equal((await sworn(['verify', '--require', 'signed'], here)).code, 0)
})

test('SWORN_RECORDER names the ledger of a recorder, and no key is made in the home of the process that names it', {
  skip: later,
  timeout: 120_000,
}, async () => {
  const here = place()
  const recorder = startProcess(['recorder', 'audit'], here)
  const other = { cwd: temporary(), home: temporary(), env: { SWORN_RECORDER: join(here.ledger, 'log.sock') } }
  await recorder.until('recording')
  const ran = await runProcess(['record'], other, events('a'))
  assert.equal(ran.code, 0, ran.err)
  assert.deepEqual([existsSync(join(other.home, 'keys')), existsSync(join(other.cwd, 'audit'))], [false, false])
  recorder.process.kill('SIGTERM')
  assert.equal(await recorder.code, 0)
  assert.match(readFileSync(join(here.ledger, 'segments', `${'0'.repeat(20)}.jsonl`), 'utf8'), /"a-19"/)
})
