/** `sworn erase` and `sworn retain` while a `sworn recorder` holds the ledger and others go on writing. @module */
import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { readIndexPosition, removeIndex } from '@sworn/analyze'
import { createIds } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { count, later } from '../../../testkit/src/suite.ts'
import { openHttpPeer } from '../../deliver/test/support/http-peer.ts'
import { openRecorder } from '../src/index.ts'
import { temporary } from './support/io.ts'
import { makeOldLedger } from './support/old-ledger.ts'
import { recorderOf, runProcess, startProcess } from './support/process.ts'

const newId = createIds()
const WHY = ['--reason', 'GDPR Art. 17', '--request', 'R-1']
const COMMITS = 'audit:\n  redact:\n    - { path: arguments.address, action: commit }\n'

function place(config: string) {
  const [cwd, home] = [temporary(), temporary()]
  writeFileSync(join(cwd, 'sworn.yaml'), config, { mode: 0o600 })
  const env = { SWORN_HOME: home, HOME: home, SWORN_CONFIG: 'sworn.yaml' }
  return {
    cwd,
    home,
    ledger: join(cwd, 'audit'),
    open: () => openRecorder({ config: 'sworn.yaml', cwd, env }),
    run: (...argv: string[]) => runProcess(argv, { cwd, home, env }),
    start: (...argv: string[]) => startProcess(argv, { cwd, home, env }),
  }
}

type Place = ReturnType<typeof place>
type Recorder = Awaited<ReturnType<Place['open']>>

async function startRecorder(at: Place) {
  const started = at.start('recorder', 'audit')
  await started.until('recording ')
  assert.equal(recorderOf(at.ledger), started.process.pid)
  return started
}

/** Waits for half a minute, also for whoever takes over; `sync` events do for two seconds. */
const PATIENT = { level: 'batch' } as const

/** Sends one event until it is acknowledged: under one id it is recorded once, however busy the machine is. */
async function writeOne(recorder: Recorder) {
  const event = { event_id: newId(Date.now()), event_type: 'data_access', user: 'bob', target: 'meanwhile' } as const
  for (let known = false; !known; )
    known = await recorder.record(event, { level: 'sync' }).then(
      () => true,
      (e: unknown) => {
        if (!SwornError.is(e, 'APPEND_UNKNOWN') && !SwornError.is(e, 'RECORDER_UNAVAILABLE')) throw e
        return false
      },
    )
}

/** Writes until it is told to stop; gives how many events were acknowledged on disk. */
function keepWriting(recorder: Recorder) {
  let stopped = false
  const done = (async () => {
    let written = 0
    for (; !stopped; written++) await writeOne(recorder)
    return written
  })()
  return async () => {
    stopped = true
    return await done
  }
}

const accessBy = (user: string, address: string) => ({ event_type: 'data_access' as const, user, target: 'crm', arguments: { address } })

function filesWith(value: string, ...directories: string[]): string[] {
  const files = directories.flatMap((directory) => globSync('**/*', { cwd: directory }).map((name) => join(directory, name)))
  return files.filter((file) => {
    try {
      return statSync(file).isFile() && readFileSync(file).includes(value)
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'ENOENT') throw e // who records renames and removes its own meanwhile
      return false
    }
  })
}

function vaultRows({ ledger }: Place): number {
  const directory = join(ledger, 'vault')
  return readdirSync(directory).reduce((sum, name) => sum + readFileSync(join(directory, name), 'utf8').split('\n').length - 1, 0)
}

test('the process that records erases; it goes on, and so do those who hand over to it', async () => {
  const at = place(COMMITS)
  const holder = await startRecorder(at)
  const recorder = await at.open()
  for (const user of ['alice', 'bob']) await recorder.record(accessBy(user, `${user}s home`), PATIENT)
  assert.equal((await at.run('query', 'audit', '--user', 'alice', '--count-by', 'user')).code, 0)
  const stop = keepWriting(recorder)
  const erased = await at.run('erase', 'audit', '--subject', 'alice', ...WHY, '--json')
  assert.equal(erased.code, 0, erased.err)
  const { target_count: targets, rows, key, recorded, confirmed } = JSON.parse(erased.out)
  assert.deepEqual([targets, rows, key, recorded.length, confirmed], [1, 1, true, 1, ['index']])
  assert.deepEqual([recorderOf(at.ledger), vaultRows(at)], [holder.process.pid, 1])

  await recorder.record(accessBy('alice', 'a new home'), PATIENT) // under a new key: the one before is not used again
  const written = await stop()
  const would = await at.run('erase', 'audit', '--subject', 'alice', ...WHY, '--dry-run', '--json')
  assert.deepEqual([JSON.parse(would.out).targets.length, vaultRows(at)], [1, 2])
  assert.match((await at.run('erase', 'audit', '--subject', 'alice', ...WHY)).out, /^1 committed value erased/)
  assert.match((await at.run('erase', 'audit', '--subject', 'alice', ...WHY)).out, /^nothing of this subject is committed/)

  const counted = await at.run('query', 'audit', '--where', 'target == "meanwhile"', '--count-by', 'user', '--format', 'json')
  assert.equal(JSON.parse(counted.out).counts[0].entries, written, counted.out)
  await recorder.close()
  holder.process.kill('SIGTERM')
  assert.equal(await holder.code, 0)
  const verified = await at.run('verify', 'audit', '--strict')
  assert.deepEqual([verified.code, /2 committed values erased/.test(verified.out)], [0, true], verified.out)
  assert.deepEqual([...filesWith('alices home', at.cwd, at.home), ...filesWith('a new home', at.cwd, at.home)], [])
})

test('the index that the recorder keeps is deleted, and asked, while subjects are erased: it comes back, and nothing of theirs with it', {
  timeout: 300_000,
}, async () => {
  const at = place(COMMITS)
  const holder = await startRecorder(at)
  const recorder = await at.open()
  const subjects = Array.from({ length: count({ fast: 1, ci: 2, full: 20 }) }, (_, n) => `subject-${n}`)
  for (const user of subjects) for (let n = 0; n < 20; n++) await recorder.record(accessBy(user, `${user} lives at ${n} of theirs`))
  await recorder.flush()
  const stop = keepWriting(recorder)
  let erasing = true
  const asked = (async () => {
    for (let n = 0; erasing; n++) {
      if (n % 2 === 0) removeIndex(at.ledger)
      const { code, err } = await at.run('query', 'audit', '--text', 'theirs', '--format', 'json')
      assert.equal(code, 0, err)
    }
  })()
  for (const user of subjects) {
    const erased = await at.run('erase', 'audit', '--subject', user, ...WHY, '--json')
    assert.deepEqual([erased.code, JSON.parse(erased.out).target_count], [0, 20], erased.err)
  }
  erasing = false
  await asked
  await stop()
  removeIndex(at.ledger)
  const { seq } = (await recorder.record({ event_type: 'data_access', target: 'last' }, PATIENT)) as { seq: number }
  while (((await readIndexPosition(at.ledger)) ?? 0) <= seq) await setTimeout(20) // nobody asks: who records makes it
  assert.deepEqual(filesWith(' of theirs', at.cwd, at.home), [], 'while the index is open, its WAL included')
  const ask = async (...flags: string[]) => {
    const { out } = await at.run(
      'query',
      'audit',
      '--where',
      'target in ["crm", "last"]',
      '--count-by',
      'user',
      '--format',
      'json',
      ...flags,
    )
    return JSON.parse(out).counts
  }
  const counts = await ask()
  assert.deepEqual([counts, counts.length], [await ask('--no-index'), subjects.length + 1])
  await recorder.close()
  holder.process.kill('SIGTERM')
  assert.equal(await holder.code, 0)
  const verified = await at.run('verify', 'audit', '--strict')
  assert.deepEqual([verified.code, verified.out.includes(`${subjects.length * 20} committed values erased`)], [0, true], verified.out)
  assert.deepEqual(filesWith(' of theirs', at.cwd, at.home), [])
})

test('what is delivered while a subject is erased, and after, holds no value of the subject', { skip: later }, async (t) => {
  const peer = await openHttpPeer()
  t.after(peer.close)
  const sinks = `  sinks:\n    - {type: webhook, url: "${peer.url}"}\n    - {type: jsonl, path: copy/audit.jsonl}\n    - {type: sqlite, path: copy/rows.db}\n`
  const at = place(COMMITS + sinks)
  const holder = await startRecorder(at)
  const recorder = await at.open()
  peer.fail('error', 20) // so that delivery is behind when the erasure begins
  for (let n = 0; n < 200; n++) await recorder.record(accessBy(n % 2 === 0 ? 'alice' : 'bob', `${n} of hers`))
  const stop = keepWriting(recorder)
  const erased = await at.run('erase', 'audit', '--subject', 'alice', ...WHY, '--json')
  assert.deepEqual([erased.code, JSON.parse(erased.out).target_count], [0, 100], erased.err)
  await stop()
  await recorder.record({ event_type: 'data_access', target: 'afterwards' }, PATIENT)
  const bodies = () => peer.taken.map(({ body }) => body).join('\n')
  while (!bodies().includes('afterwards')) await setTimeout(20) // all before it was delivered before it
  await recorder.close()
  holder.process.kill('SIGTERM')
  assert.equal(await holder.code, 0)
  assert.ok(bodies().split('"$sd"').length > 200, 'the entries were delivered, their values as digests')
  assert.doesNotMatch(bodies(), / of hers/)
  assert.ok(existsSync(join(at.cwd, 'copy', 'audit.jsonl')) && existsSync(join(at.cwd, 'copy', 'rows.db')))
  assert.deepEqual(filesWith(' of hers', at.cwd, at.home), [])
  const status = await at.run('sinks', 'status', '--json')
  assert.deepEqual([status.code, JSON.parse(status.out).sinks.map(({ behind }: { behind: number }) => behind)], [0, [0, 0, 0]], status.out)
})

test('the process that records drops, archives and packs; who hands over to it goes on', { skip: later }, async () => {
  const at = place('audit:\n  retention:\n    classes:\n      - { days: 396 }\n    archive: ./old\n    compress: gzip\n')
  makeOldLedger(at.ledger, at.home)
  const holder = await startRecorder(at)
  const recorder = await at.open()
  const stop = keepWriting(recorder)
  const run = await at.run('retain', 'audit', '--unanchored', '--json')
  assert.equal(run.code, 0, run.err)
  const done = JSON.parse(run.out)
  const kept = readdirSync(join(at.ledger, 'segments'))
  assert.ok(done.segments > 0 && done.packed > 0 && done.log_prune > 0, run.out)
  assert.equal(readdirSync(done.archive).length, done.segments)
  assert.equal(kept.filter((name) => name.endsWith('.gz')).length, done.packed)
  assert.equal(recorderOf(at.ledger), holder.process.pid)
  assert.match((await at.run('retain', 'audit', '--unanchored')).out, /^nothing is old enough/)
  assert.ok((await stop()) > 0)
  await recorder.close()
  holder.process.kill('SIGTERM')
  assert.equal(await holder.code, 0)
  const verified = await at.run('verify', 'audit', '--strict')
  assert.equal(verified.code, 0, verified.out)
})

test('a recorder that is killed while it erases: the command, or a second one, ends what it began', { skip: later }, async () => {
  for (let round = 0; round < count({ fast: 1, ci: 2, full: 12 }); round++) {
    const at = place(COMMITS)
    const holder = await startRecorder(at)
    const recorder = await at.open()
    for (let n = 0; n < 50; n++) await recorder.record(accessBy('alice', `home ${n} of hers`))
    await recorder.flush()
    const stop = keepWriting(recorder)
    const erasing = at.run('erase', 'audit', '--subject', 'alice', ...WHY)
    const key = () => globSync('keys/*/deks/*', { cwd: at.home }).length
    let steps = 0
    while (key() > 0 && steps < 100_000) {
      steps++
      await new Promise(setImmediate)
    }
    holder.process.kill('SIGKILL') // its key is gone; what follows may or may not be done
    const { code, err } = await erasing
    assert.equal(code, 0, err)
    assert.ok((await stop()) > 0, 'whoever took over went on')
    assert.equal((await at.run('erase', 'audit', '--subject', 'alice', ...WHY)).code, 0)
    assert.equal(vaultRows(at), 0)
    await recorder.close()
    const verified = await at.run('verify', 'audit')
    assert.deepEqual([verified.code, /50 committed values erased/.test(verified.out)], [0, true], verified.out)
    assert.deepEqual(filesWith(' of hers', at.cwd, at.home), [])
    assert.equal(existsSync(join(at.ledger, 'log.sock')), false)
  }
})
