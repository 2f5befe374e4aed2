/** `audit.fallback: spool` in real processes: the recorder process hangs, the client is killed, the next one hands over. @module */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { pause } from '../../../testkit/src/children.ts'
import { later } from '../../../testkit/src/suite.ts'
import { sworn, temporary } from './support/io.ts'
import { type Place, runProcess, startProcess } from './support/process.ts'

const CONFIG = 'audit:\n  fallback: spool\n'
const line = (target: string) => `${JSON.stringify({ event_type: 'data_access', target })}\n`

/** Everything below the state directory, by the end of its name. */
function spoolsOf(home: string): string[] {
  const all = readdirSync(home, { recursive: true, encoding: 'utf8' })
  return all.filter((name) => /(^|\/)spool\/.*\.jsonl$/.test(name)).map((name) => join(home, name))
}

/** A short command waits a little for what others left: on a busy machine the next one hands it over. */
async function handedOver(here: Place): Promise<void> {
  while (spoolsOf(here.home).length > 0) assert.equal((await runProcess(['record'], here)).code, 0)
}

test('the recorder process hangs and the client is killed: what it was answered is in the ledger once, handed over by the next', {
  timeout: 120_000,
  skip: later,
}, async () => {
  const here = { cwd: temporary(), home: temporary() }
  writeFileSync(join(here.cwd, 'sworn.yaml'), CONFIG)
  assert.equal((await sworn(['trust', '.'], here)).code, 0)
  const holder = startProcess(['recorder'], here)
  await holder.until('recording')
  const client = startProcess(['record'], here)
  const answers = createInterface(client.process.stdout)[Symbol.asyncIterator]()
  const ask = async (target: string) => {
    client.process.stdin.write(line(target))
    return JSON.parse(String((await answers.next()).value))
  }
  assert.ok('seq' in (await ask('first')))
  await pause(holder)
  assert.deepEqual(await ask('second'), { spooled: true, durable: true })
  assert.deepEqual(await ask('third'), { spooled: true, durable: true })
  const [spool, ...more] = spoolsOf(here.home)
  assert.deepEqual(more, [])
  assert.match(readFileSync(spool!, 'utf8'), /second[^\n]*\n[^\n]*third/)
  client.process.kill('SIGKILL')
  await client.code
  holder.process.kill('SIGCONT')
  const next = await runProcess(['record'], here, line('fourth'))
  assert.equal(next.code, 0, next.err)
  await handedOver(here)
  holder.process.kill('SIGTERM')
  assert.equal(await holder.code, 0)
  const { out } = await sworn(['query', '--type', 'data_access', '--format', 'jsonl'], here)
  const targets = out
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text).target)
  assert.deepEqual(targets.toSorted(), ['first', 'fourth', 'second', 'third'])
  assert.ok(targets.indexOf('first') < targets.indexOf('second') && targets.indexOf('second') < targets.indexOf('third'))
  assert.equal((await sworn(['verify'], here)).code, 0)
})

test('a client that finds a recorder that hangs when it starts: it spools, is killed, and the next one hands over and delivers', {
  timeout: 120_000,
  skip: later,
}, async () => {
  const here = { cwd: temporary(), home: temporary() }
  writeFileSync(join(here.cwd, 'sworn.yaml'), `${CONFIG}  sinks:\n    - { type: jsonl, path: copy.jsonl }\n`)
  assert.equal((await sworn(['trust', '.'], here)).code, 0)
  const alone = { ...here, env: { SWORN_RECORDER: 'off' } }
  assert.equal((await runProcess(['record'], alone, line('before'))).code, 0)
  const holder = startProcess(['recorder'], here)
  await holder.until('recording')
  await pause(holder)
  const killed = startProcess(['record'], here)
  const answers = createInterface(killed.process.stdout)[Symbol.asyncIterator]()
  killed.process.stdin.write(line('alone'))
  assert.deepEqual(JSON.parse(String((await answers.next()).value)), { spooled: true, durable: true })
  killed.process.kill('SIGKILL')
  await killed.code
  const quiet = await runProcess(['record'], here, line('next'))
  assert.equal(quiet.code, 0, quiet.err)
  assert.match(quiet.err, /LEDGER_BUSY .*; the ledger is opened when it can be/)
  assert.deepEqual(JSON.parse(quiet.out), { spooled: true, durable: true })
  const waiting = spoolsOf(here.home)
  assert.equal(waiting.length, 2)
  holder.process.kill('SIGKILL')
  await holder.code
  const last = await runProcess(['record'], alone, line('last'))
  assert.equal(last.code, 0, last.err)
  await handedOver(alone)
  const { out } = await sworn(['query', '--type', 'data_access', '--format', 'jsonl'], here)
  const targets = out
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text).target)
  assert.deepEqual(targets.toSorted(), ['alone', 'before', 'last', 'next'])
  assert.match(readFileSync(join(here.cwd, 'copy.jsonl'), 'utf8'), /alone/)
  assert.equal((await sworn(['verify'], here)).code, 0)
})

test('a recorder that hangs is told to whoever needs the ledger itself, and to a client that may not spool', {
  timeout: 120_000,
  skip: later,
}, async () => {
  const here = { cwd: temporary(), home: temporary() }
  const holder = startProcess(['recorder'], here)
  await holder.until('recording')
  await pause(holder)
  const blocked = await runProcess(['record'], here, line('x'))
  assert.match(blocked.err, /LEDGER_BUSY/)
  assert.equal(blocked.code, 3)
  writeFileSync(join(here.cwd, 'sworn.yaml'), CONFIG)
  assert.equal((await sworn(['trust', '.'], here)).code, 0)
  const second = await runProcess(['recorder'], here)
  assert.match(second.err, /LEDGER_BUSY/)
  assert.deepEqual(spoolsOf(here.home), [])
  holder.process.kill('SIGKILL')
  await holder.code
})
