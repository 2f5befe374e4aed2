/** `sworn verify` on ledgers as the real recorder leaves them: pruned, rolled back, copied, torn, compressed, in progress. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPrivateKey, sign } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'
import { createDecompressor, findLedger } from '@sworn/analyze/reading'
import { type Ledger, openLedger } from '@sworn/recorder'
import { splitKeptNotes } from '@sworn/recorder/reading'
import { linkLine, type Report, SwornError, toBase64, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { later } from '../../../testkit/src/suite.ts'
import { openRecorder } from '../src/index.ts'
import { checkLedger } from '../src/reading/check.ts'
import { formatProgress } from '../src/text/progress.ts'
import { type RunOptions, sworn, temporary } from './support/io.ts'

interface Place {
  readonly cwd: string
  readonly home: string
  readonly path: string
  /** The directory with segments. */
  readonly root: string
}

const START = Date.parse('2026-11-21T10:00:00Z')

/** Every ledger that was recorded here, as the tests left it. */
const written: Place[] = []

/** A ledger by the real recorder: `work` fills it, then it is closed. */
function record(name: string, work: (ledger: Ledger) => void, rotateBytes = 3000): Place {
  const cwd = temporary()
  const place = { cwd, home: temporary(), path: join(cwd, name), root: join(cwd, name.endsWith('.jsonl') ? `${name}.ledger` : name) }
  go(place, work, rotateBytes)
  written.push(place)
  return place
}

function go(place: Place, work: (ledger: Ledger) => void, rotateBytes = 3000): void {
  const options = { path: place.path, home: place.home, rotateBytes, now: () => START, pid: process.pid, host: 'h', version: '0' }
  const ledger = openLedger(options)
  work(ledger)
  ledger.close()
}

function fill(ledger: Ledger, from: number, count: number): void {
  for (let n = from; n < from + count; n++) {
    const eventId = `0190b0a0-0000-7000-8000-${String(n).padStart(12, '0')}`
    const json = JSON.stringify({ timestamp: '2026-11-21T10:00:00.000Z', event_type: 'tool_call_end', event_id: eventId, tool: `t${n}` })
    const [answer] = ledger.append([{ json, eventId, eventType: 'tool_call_end', level: 'sync', producerId: 'p' }])
    assert.ok(!SwornError.is(answer), String(answer))
  }
}

const segmentsOf = (place: Place): string[] =>
  readdirSync(join(place.root, 'segments'))
    .filter((name) => /^\d{20}\.jsonl/.test(name))
    .toSorted()
    .map((name) => join(place.root, 'segments', name))

/** The report as JSON and the exit code. */
async function verify(place: Place, ...flags: string[]): Promise<{ code: number; report: Report; found: string[] }> {
  const ran = await sworn(['verify', place.path, '--json', ...flags], place)
  assert.equal(ran.err, '')
  const report = JSON.parse(ran.out) as Report // toJson
  return { code: ran.code, report, found: report.findings.map((f) => `${f.class} at ${f.at}`) }
}

function pruned(name = 'audit'): Place {
  const place = record(name, (ledger) => {
    fill(ledger, 0, 30)
    ledger.rotateKey()
    fill(ledger, 30, 30)
  })
  go(place, (ledger) => ledger.prune(40, { policy: '30 days \u001b[31m', unanchored: true }))
  return place
}

/** Lines rewritten in place: same length or not. */
function edit(path: string, change: (text: string) => string): void {
  const before = readFileSync(path, 'latin1')
  const after = change(before)
  assert.notEqual(after, before)
  chmodSync(path, 0o600)
  writeFileSync(path, after, 'latin1')
}

for (const name of ['audit', 'audit.jsonl']) {
  test(`a pruned ledger is checked from its first entry on, and what was pruned is said (${name})`, async () => {
    const place = pruned(name)
    const { code, report, found } = await verify(place, '--require', 'signed')
    assert.deepEqual([code, found], [0, []])
    assert.ok(report.first > 0)
    assert.equal(report.pruned?.policy, '30 days \u001b[31m')
    assert.match(report.levels.complete.detail, /pruned: their existence is signed, their content is not here/)
    assert.match(report.levels.signed.detail, /epoch 1/)
    const shown = (await sworn(['verify', place.path], place)).out
    assert.match(shown, new RegExp(`seq 0 to ${report.first - 1} were pruned by policy "30 days .*seq=\\d+\\): existence signed`))
    assert.ok(!shown.includes('\u001b'))
  })
}

test('a forged pruning is found: segments gone without a log.prune, with one that nobody signed, with other leaves or records', async () => {
  const forgeries: [string, (place: Place) => void, string][] = [
    ['a segment more is gone', (place) => rmSync(segmentsOf(place)[0]!), 'segment_missing at seq=0'],
    ['a leaf is another', (place) => edit(join(place.root, 'tree', 'L0'), (text) => flipAt(text, 40)), 'root_mismatch at seq='],
    ['the leaves are gone', (place) => rmSync(join(place.root, 'tree', 'L0')), 'segment_missing at tree/L0'],
    [
      'the last leaf is another',
      (place) => edit(join(place.root, 'tree', 'L0'), (text) => flipAt(text, firstSeq(place) * 32 - 1)),
      'previous_hash_mismatch',
    ],
    [
      'log.open is another',
      (place) => edit(join(place.root, 'reserved.jsonl'), (text) => text.replace('"hash":"sha256"', '"hash":"sha257"')),
      'record_malformed',
    ],
    [
      'a kept transition is gone',
      (place) => edit(join(place.root, 'reserved.jsonl'), (text) => withoutLine(text, 'log.key_transition')),
      '',
    ],
  ]
  for (const [what, forge, wanted] of forgeries) {
    const place = pruned()
    forge(place)
    const { code, found } = await verify(place)
    assert.equal(code, 1, what)
    assert.ok(
      found.some((f) => f.startsWith(wanted)),
      `${what}: ${found.join(', ')}`,
    )
  }
  const unsaid = record('audit', (ledger) => fill(ledger, 0, 60))
  rmSync(segmentsOf(unsaid)[0]!)
  const { seq, hash } = { seq: 70, hash: 'f'.repeat(64) }
  const payload = JSON.stringify({
    timestamp: '2026-11-21T10:00:00.000Z',
    event_type: 'log.prune',
    minimum_index: firstSeq(unsaid),
    policy: 'p',
    archived_to: null,
  })
  appendFileSync(
    join(unsaid.root, 'reserved.jsonl'),
    `${Buffer.from(linkLine(nodePrimitives, 'sha256', payload, seq, hash).line).toString('latin1')}\n`,
  )
  const { code, found } = await verify(unsaid)
  assert.equal(code, 1)
  assert.ok(found.includes('segment_missing at seq=0'), found.join())
})

const firstSeq = (place: Place): number => Number(/(\d{20})/.exec(segmentsOf(place)[0]!)![1])
const flipAt = (text: string, at: number): string => text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
const withoutLine = (text: string, part: string): string =>
  text
    .split('\n')
    .filter((line) => !line.includes(part))
    .join('\n')

test('a ledger put back to an older copy is a rollback against the state of its signer, said once', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 5))
  cpSync(place.root, join(place.cwd, 'old'), { recursive: true })
  go(place, (ledger) => fill(ledger, 5, 20))
  rmSync(place.root, { recursive: true })
  renameSync(join(place.cwd, 'old'), place.root)
  const { code, found } = await verify(place)
  assert.equal(code, 1)
  assert.equal(found.filter((f) => f.startsWith('rollback at signer state of size')).length, 1)
  assert.equal(found.filter((f) => f.startsWith('acknowledged_lost')).length, 1)
  assert.ok(!found.some((f) => f.startsWith('truncated')), found.join())
})

test('a tail cut off is truncated_below_checkpoint once, however many copies of the notes say so', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 12), 1 << 20)
  assert.ok(splitKeptNotes(readFileSync(join(place.root, 'checkpoints.log'))).notes.length > 0)
  const segment = segmentsOf(place)[0]!
  edit(segment, (text) => `${text.split('\n').slice(0, 4).join('\n')}\n`)
  const { code, found } = await verify(place)
  assert.equal(code, 1)
  for (const name of ['truncated_below_checkpoint', 'rollback'])
    assert.equal(found.filter((f) => f.startsWith(name)).length, 1, found.join())
  const stranger = { ...place, home: temporary() }
  assert.deepEqual(
    (await verify(stranger)).found.map((f) => f.split(' ')[0]),
    ['truncated_below_checkpoint'],
  )
})

test('another root of a size that was signed is a fork against the signer and contradicts checkpoints.log; unsigned it is said of that note', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 5))
  const other = record('audit', (ledger) => fill(ledger, 10, 5))
  const notes = readFileSync(join(place.root, 'checkpoints.log'))
  const keys = join(place.home, 'keys', readdirSync(join(place.home, 'keys'))[0]!)
  const signed = join(keys, 'signed')
  const mine = readFileSync(signed, 'utf8')
  const [origin, size, , , line] = mine.split('\n')
  const text = `${origin}\n${size}\n${readFileSync(join(other.root, 'checkpoint'), 'utf8').split('\n')[2]}\n`
  // The same size signed for another root: as a second writer with the key would leave it.
  const [dash, name, base64] = line!.split(' ')
  const signature = sign(null, Buffer.from(text), createPrivateKey(readFileSync(join(keys, '0.pem'))))
  const resigned = `${text}\n${dash} ${name} ${toBase64(Buffer.concat([Buffer.from(base64!, 'base64').subarray(0, 4), signature]))}\n`
  writeFileSync(signed, resigned)
  const forked = await verify(place)
  assert.deepEqual([forked.code, forked.found], [1, [`fork at signer state of size ${size}`]])
  writeFileSync(signed, `${text}\n${line}\n`)
  const { code, found } = await verify(place)
  assert.deepEqual([code, found], [1, [`signature_invalid at signer state of size ${size}`]])
  writeFileSync(signed, mine)
  const framed = (changed: string): Buffer => Buffer.from(`${Buffer.byteLength(changed)}\n${changed}`)
  const write = (changed: string): void =>
    writeFileSync(join(place.root, 'checkpoints.log'), Buffer.concat([notes, framed(changed), Buffer.from('99\ncut')]))
  write(resigned)
  const again = await verify(place)
  assert.equal(again.code, 1)
  assert.ok(again.found.includes(`root_mismatch at checkpoint of size ${size} in checkpoints.log`), again.found.join())
  write(`${text}\n— stranger ${toBase64(Buffer.alloc(68))}\n`)
  const strange = await verify(place)
  assert.deepEqual([strange.code, strange.found], [0, [`signature_missing at checkpoint of size ${size} in checkpoints.log`]])
  writeFileSync(join(place.root, 'checkpoints.log'), Buffer.concat([notes, Buffer.from('garbage\n')]))
  const junk = await verify(place)
  assert.equal(junk.code, 0)
  assert.match(junk.found.join(), /^state_invalid at checkpoints\.log$/)
})

test('what lies in the place of a note changes no claim, whatever it is: not even a directory or a pipe', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 5))
  const size = readFileSync(join(place.root, 'checkpoint'), 'latin1').split('\n')[1]
  const put: Record<string, (path: string) => void> = {
    nothing: (path) => writeFileSync(path, ''),
    'a text': (path) => writeFileSync(path, 'garbage\n'),
    'a damaged note': (path) => writeFileSync(path, `${readFileSync(join(place.root, '.state', 'signed'), 'utf8').slice(0, 50)}`),
    'a directory': (path) => mkdirSync(path),
    'a pipe': (path) => assert.equal(spawnSync('mkfifo', [path]).status, 0),
  }
  for (const [what, write] of Object.entries(put)) {
    rmSync(join(place.root, 'checkpoint'), { recursive: true })
    write(join(place.root, 'checkpoint'))
    const { code, found, report } = await verify(place)
    assert.deepEqual([code, found], [0, ['state_invalid at checkpoint']], what)
    if (what === 'a pipe') go(place, (ledger) => fill(ledger, 5, 1)) // the recorder puts its note in that place
    assert.equal(report.levels.signed.holds, true, what)
    assert.equal(String(report.levels.signed.size), size, what)
  }
})

test('a damaged entry of checkpoints.log hides none behind it; cut is an incomplete last one alone', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 12), 1 << 20)
  const file = join(place.root, 'checkpoints.log')
  const whole = readFileSync(file)
  const damages = [Buffer.from('garbage'), Buffer.from('99999\nsworn.local/x\n'), Buffer.from('garbage\n'), Buffer.from('9999999\n')]
  for (const name of ['checkpoint', join('.state', 'signed')]) rmSync(join(place.root, name))
  edit(segmentsOf(place)[0]!, (text) => `${text.split('\n').slice(0, 4).join('\n')}\n`)
  for (const damage of damages) {
    writeFileSync(file, Buffer.concat([damage, Buffer.from('\n'), whole]))
    const { code, found } = await verify({ ...place, home: temporary() })
    assert.equal(code, 1, String(damage))
    assert.ok(
      found.some((f) => f.startsWith('truncated_below_checkpoint')),
      found.join(),
    )
  }
  const { notes, end } = splitKeptNotes(Buffer.concat([damages[0]!, Buffer.from('\n'), whole, Buffer.from('120\nsworn.lo')]))
  assert.deepEqual([notes.slice(1), end], [splitKeptNotes(whole).notes, damages[0]!.length + 1 + whole.length])
})

test('an entry that was acknowledged and is another now is acknowledged_lost; a lost signer state is state_missing', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 5))
  const directory = join(place.home, 'keys', readdirSync(join(place.home, 'keys'))[0]!)
  const head = readFileSync(join(directory, 'head'), 'latin1')
  writeFileSync(
    join(directory, 'head'),
    head.replace(/.\n$/, (end) => (end[0] === '0' ? '1\n' : '0\n')),
  )
  const lost = await verify(place)
  assert.deepEqual([lost.code, lost.found.map((f) => f.split(' ')[0])], [1, ['acknowledged_lost']])
  writeFileSync(join(directory, 'head'), head)
  assert.equal((await verify(place)).code, 0)
  rmSync(join(directory, 'signed'))
  const { code, found } = await verify(place)
  assert.deepEqual([code, found], [1, ['state_missing at signer state']])
})

test('a copy beside the original holds with a warning; moved away it is the ledger itself', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 5))
  const copy = { ...place, path: join(place.cwd, 'copy'), root: join(place.cwd, 'copy') }
  cpSync(place.root, copy.root, { recursive: true })
  const beside = await verify(copy)
  assert.deepEqual([beside.code, beside.found], [0, ['copied at ledgers.json']])
  assert.equal(beside.report.findings[0]?.severity, 'warning')
  rmSync(place.root, { recursive: true })
  assert.deepEqual((await verify(copy)).found, [])
})

test('a log file that lost its directory is detached where it is known, and a file alone elsewhere', async () => {
  const place = record('audit.jsonl', (ledger) => fill(ledger, 0, 5), 1 << 20)
  rmSync(place.root, { recursive: true })
  const { code, found } = await verify(place)
  assert.equal(code, 1)
  assert.ok(found.includes('detached at audit.jsonl'), found.join())
  const elsewhere = { ...place, home: temporary() }
  assert.deepEqual((await verify(elsewhere)).found, [])
})

test('a file of something else is foreign_file and nothing more', async () => {
  const cwd = temporary()
  const place = { cwd, home: temporary(), path: join(cwd, 'app.log'), root: cwd }
  writeFileSync(place.path, '{"level":30,"msg":"hello"}\n'.repeat(500))
  const { code, found } = await verify(place)
  assert.deepEqual([code, found], [1, ['foreign_file at app.log']])
})

test('closed segments are read compressed, whole or damaged, and beside the plain one', async () => {
  const pack: Record<string, (bytes: Buffer) => Buffer> = { gz: zlib.gzipSync, zst: zlib.zstdCompressSync }
  const whole = record('audit', (ledger) => fill(ledger, 0, 40))
  const { report: plain } = await verify(whole)
  for (const [ending, compress] of Object.entries(pack)) {
    const place = { ...whole, cwd: temporary(), path: '', root: '' }
    const moved = { ...place, path: join(place.cwd, 'audit'), root: join(place.cwd, 'audit') }
    cpSync(whole.root, moved.root, { recursive: true })
    const closed = segmentsOf(moved).slice(0, -1)
    assert.ok(closed.length > 2)
    for (const path of closed) {
      writeFileSync(`${path}.${ending}`, compress(readFileSync(path)))
      if (path !== closed[0]) rmSync(path)
    }
    const { code, report } = await verify(moved)
    assert.deepEqual([code, report.size, report.head], [0, plain.size, plain.head], ending)
    const damaged = `${closed[1]!}.${ending}`
    truncateSync(damaged, Math.floor(statSync(damaged).size / 2))
    const broken = await verify(moved)
    assert.equal(broken.code, 1)
    assert.ok(
      broken.found.some((f) => f.startsWith('corrupt at ')),
      broken.found.join(),
    )
  }
  assert.throws(
    () => createDecompressor('x.zst', {}),
    (e) => SwornError.is(e, 'NODE_TOO_OLD') && /22\.15 needed/.test(e.message),
  )
})

test('a last line without end is torn when nobody records, and in progress while a recorder answers', async () => {
  const cwd = temporary()
  const home = temporary()
  const place = { cwd, home, path: join(cwd, 'audit'), root: join(cwd, 'audit') }
  const recorder = await openRecorder({ path: place.path, cwd, env: { SWORN_HOME: home } })
  await recorder.record({ event_type: 'data_access', target: 'x' })
  const segment = segmentsOf(place)[0]!
  const copy = { ...place, path: join(cwd, 'copy'), root: join(cwd, 'copy') }
  await recorder.flush()
  cpSync(place.root, copy.root, { recursive: true, filter: (from) => !from.endsWith('log.sock') })
  appendFileSync(segmentsOf(copy)[0]!, '{"event')
  const torn = await verify(copy)
  assert.equal(torn.code, 1)
  assert.match(torn.report.findings.at(-1)!.message, /torn/)
  appendFileSync(segment, '{"event')
  const live = await verify(place)
  assert.deepEqual([live.code, live.report.findings.filter((f) => f.severity === 'finding')], [0, []])
  truncateSync(segment, statSync(segment).size - 7)
  await recorder.close()
  assert.equal(existsSync(join(place.root, 'log.sock')), false)
  appendFileSync(segment, '{"event')
  assert.equal((await verify(place)).code, 1)
})

test('a claim that does not hold says so in its detail, to people and to programs', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 5))
  edit(segmentsOf(place)[0]!, (text) => text.replace('"t2"', '"t3"'))
  const { report } = await verify(place)
  assert.deepEqual(
    [report.levels.bytes.detail, report.levels.chain.detail],
    [`${report.size} lines of the fixed form`, 'not every entry follows on the one before'],
  )
  assert.match(report.levels.signed.detail, /; but the log does not hold$/)
  assert.equal(report.levels.complete.detail, 'entries are missing, changed or withheld')
})

const inPieces = async (place: Place, threads: number): Promise<Report> =>
  checkLedger(findLedger(place.path, '/'), { strict: false, now: START, cwd: '/', state: place.home, threads, pieceBytes: 2000 })

test('on threads and in pieces the report is that of one thread, for whole, pruned, damaged and compressed ledgers', {
  skip: later,
}, async () => {
  const damaged = record('audit', (ledger) => fill(ledger, 0, 60))
  edit(segmentsOf(damaged)[1]!, (text) => text.replace('"t1', '"u1'))
  const torn = record('audit.jsonl', (ledger) => fill(ledger, 0, 60), 1 << 20)
  appendFileSync(torn.path, '{"x')
  const compressed = record('audit', (ledger) => fill(ledger, 0, 60))
  const [first] = segmentsOf(compressed)
  writeFileSync(`${first!}.gz`, zlib.gzipSync(readFileSync(first!)))
  rmSync(first!)
  const whole = record('audit', (ledger) => fill(ledger, 0, 60))
  for (const place of [whole, pruned(), damaged, torn, compressed]) assert.deepEqual(await inPieces(place, 2), await inPieces(place, 1))
})

test('progress is shown on a terminal after half a second and taken away; never with --json or without a terminal', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 60))
  const shown = async (isTTY: boolean, ...flags: string[]): Promise<string> => {
    let now = START
    const stderr = Object.assign(new PassThrough(), { isTTY })
    const io: RunOptions['io'] = { stderr, isTTY, now: () => (now += 300) }
    const ran = await sworn(['verify', place.path, ...flags], { ...place, io })
    assert.equal(ran.code, 0)
    return String(stderr.read() ?? '')
  }
  const text = await shown(true)
  assert.match(text, /^\r\u001b\[K0 of 0 MB, 0 MB\/s, \d+ s left/)
  assert.ok(text.endsWith('\r\u001b[K'))
  assert.equal(await shown(false), '')
  assert.equal(await shown(true, '--json'), '')
  assert.equal(await shown(true, '--quiet'), '')
  assert.equal(formatProgress(312e6, 1240e6, 1000), '312 of 1240 MB, 312 MB/s, 3 s left')
  assert.equal(formatProgress(0, 90e9, 1000), '0 of 90000 MB, 0 MB/s')
  assert.equal(formatProgress(1e8, 61e8, 1000), '100 of 6100 MB, 100 MB/s, 1 min 0 s left')
})

test('an interrupted verification ends quietly, with the code of its signal', async () => {
  const place = record('audit', (ledger) => fill(ledger, 0, 60))
  for (const [reason, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const ran = await sworn(['verify', place.path], { ...place, io: { signal: AbortSignal.abort(reason) } })
    assert.deepEqual(ran, { code, out: '', err: '' })
  }
  const abort = new AbortController()
  const options = {
    strict: false,
    now: START,
    cwd: '/',
    state: place.home,
    threads: 2,
    pieceBytes: 2000,
    signal: abort.signal,
    onProgress: () => abort.abort('SIGINT'),
  }
  await assert.rejects(checkLedger(findLedger(place.path, '/'), options), (e) => e === 'SIGINT')
})

test('a ledger whose active file is gone is still found, and is short of what was signed', async () => {
  const place = record('audit.jsonl', (ledger) => fill(ledger, 0, 40))
  rmSync(place.path)
  mkdirSync(join(place.cwd, 'empty'))
  const { code, found } = await verify(place)
  assert.equal(code, 1)
  assert.ok(
    found.some((f) => f.startsWith('rollback')),
    found.join(),
  )
})

const python = spawnSync('python3', ['--version']).status === 0
if (!python) process.stderr.write('SKIPPED the second verifier on real ledgers: python3 is not here\n')

test('the second verifier agrees on every ledger of these tests', { skip: python ? later : 'python3 is not here' }, async () => {
  const script = fileURLToPath(new URL('../../../vectors/verify.py', import.meta.url))
  assert.ok(written.length > 20)
  let holding = 0
  for (const place of written) {
    const closed = existsSync(join(place.root, 'segments')) ? segmentsOf(place).filter((path) => path.endsWith('.jsonl')) : []
    const files = place.path.endsWith('.jsonl') && existsSync(place.path) ? [...closed, place.path] : closed
    const bytes = Buffer.concat(files.map((path) => readFileSync(path)))
    const report = await verifyLog([bytes], { primitives: nodePrimitives })
    const { status, stdout } = spawnSync('python3', [script], { input: bytes, encoding: 'utf8' })
    assert.equal(status === 0, report.levels.tree.holds && report.size > 0, `${place.path}: ${stdout}`) // an empty log is none, to the command too
    if (status === 0) assert.ok(stdout.includes(`${report.size} entries, root ${toBase64(report.root!)}`), stdout)
    holding += Number(status === 0)
  }
  assert.ok(holding > 10 && holding < written.length, `${holding} of ${written.length}`)
})
