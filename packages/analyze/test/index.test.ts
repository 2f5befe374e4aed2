/** audit.db: fed by cursor, whatever happens to the ledger, to the process that feeds it, or to the file itself. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { findLedger, type LedgerFiles } from '@sworn/recorder/segments'
import { isSupported, loadSqlite } from '@sworn/recorder/sqlite'
import { SwornError } from '@sworn/verify'
import fc from 'fast-check'
import { agentEvents } from '../../../testkit/src/events.ts'
import { later } from '../../../testkit/src/suite.ts'
import { INDEX_NAME, openIndexDatabase, removeIndex } from '../src/index/database.ts'
import { feedIndex } from '../src/index/feed.ts'
import { openSource } from '../src/open-source.ts'
import { linesOf, segmentPath, temporary, writeSegments } from './support/ledgers.ts'

const slow = process.env.SWORN_TESTS === 'full' ? 10 : process.env.SWORN_TESTS === 'ci' ? 2 : 1
if (slow === 1) console.error('note: SWORN_TESTS=ci and full kill the indexer more often')

const EVENTS = agentEvents(4, 700).map((event, n) => ({ timestamp: new Date(1_795_000_000_000 + n * 1000).toISOString(), ...event }))
const LINES = linesOf(EVENTS)
/** Of everything in an index, but for how often it was begun. */
const TABLES = ['entry', 'kind', 'who', 'session', 'kind_count', 'who_count', 'block', 'segment', 'unreadable']

async function contentOf(directory: string): Promise<Record<string, unknown>> {
  const index = await openIndexDatabase(directory)
  try {
    const views = TABLES.map(
      (table) => [table, index.db.prepare(`SELECT * FROM ${table} ORDER BY ${table.endsWith('_count') ? '1, 2' : '1'}`).all()] as const,
    )
    const { generation: _, ...cursor } = index.cursor()
    return JSON.parse(JSON.stringify({ ...Object.fromEntries(views), cursor }))
  } finally {
    index.close()
  }
}

async function feed(files: LedgerFiles, onRestart?: () => void): Promise<void> {
  const index = await openIndexDatabase(files.directory!)
  try {
    await feedIndex(index, files, { onRestart })
  } finally {
    index.close()
  }
}

async function rebuilt(files: LedgerFiles): Promise<Record<string, unknown>> {
  removeIndex(files.directory!)
  await feed(files)
  return await contentOf(files.directory!)
}

const none = () => assert.fail('nothing was to be read anew')

test('fed while the ledger grows, rotates and is compressed, the index equals one made at the end', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, LINES.slice(0, 10), [0])
  await feed(files, none)
  for (const end of [11, 200, 201, 256]) {
    writeFileSync(segmentPath(directory, 0), LINES.slice(0, end).join(''))
    await feed(files, none)
  }
  appendFileSync(segmentPath(directory, 0), LINES[256]!.slice(0, 40)) // a line in progress
  await feed(files, none)
  writeFileSync(segmentPath(directory, 0), LINES.slice(0, 300).join(''))
  writeFileSync(segmentPath(directory, 300), LINES.slice(300, 600).join(''))
  await feed(files, none)
  writeFileSync(segmentPath(directory, 0, 'gz'), gzipSync(LINES.slice(0, 300).join('')))
  rmSync(segmentPath(directory, 0))
  writeFileSync(segmentPath(directory, 600), LINES.slice(600).join(''))
  await feed(files, none)
  assert.deepEqual(await contentOf(directory), await rebuilt(files))
})

test('in file mode too, where the active file changes its name', async () => {
  const path = join(temporary(), 'audit.jsonl')
  writeSegments(`${path}.ledger`, [], [])
  writeFileSync(path, LINES.slice(0, 50).join(''))
  const files = findLedger(path, '/')
  await feed(files, none)
  appendFileSync(path, LINES.slice(50, 60).join(''))
  renameSync(path, segmentPath(`${path}.ledger`, 0))
  writeFileSync(path, LINES.slice(60, 90).join(''))
  await feed(files, none)
  assert.equal((await contentOf(`${path}.ledger`)).segment?.toString(), '[object Object],[object Object]')
  assert.deepEqual(await contentOf(`${path}.ledger`), await rebuilt(files))
})

test('what was pruned is forgotten, words included, and counts go on from there', async () => {
  const directory = join(temporary(), 'audit')
  const lines = linesOf(EVENTS.map((event, n) => (n === 3 ? { ...event, user: 'only.once@example.com', session_id: 'only-once' } : event)))
  const files = writeSegments(directory, lines, [0, 256, 512])
  await feed(files, none)
  rmSync(segmentPath(directory, 0))
  await feed(files, none)
  const { kind_count, who_count, entry, ...rest } = await contentOf(directory)
  assert.equal(JSON.stringify(rest).includes('only'), false)
  assert.equal((entry as { seq: number }[])[0]!.seq, 256)
  for (const suffix of ['', '-wal'])
    assert.equal(
      statSync(join(directory, INDEX_NAME + suffix), { throwIfNoEntry: false }) &&
        readFileSync(join(directory, INDEX_NAME + suffix)).includes('only.once'),
      suffix === '' ? false : undefined,
    )
  const source = await openSource(files)
  const total = await source.count({}, [])
  source.close()
  assert.deepEqual(total, [{ texts: [], entries: 700 - 256 }])
})

test('all that was indexed may be pruned: reading goes on behind it', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, LINES.slice(0, 100), [0])
  await feed(files, none)
  writeSegments(directory, LINES, [100])
  rmSync(segmentPath(directory, 0))
  await feed(files, none)
  assert.deepEqual((await contentOf(directory)).entry, (await rebuilt(files)).entry)
})

test('another ledger under the same index, one that lost entries, or one whose last entry changed is read anew', async () => {
  for (const change of [
    (directory: string) => writeSegments(directory, linesOf(EVENTS.toReversed()), [0]),
    (directory: string) => truncateSync(segmentPath(directory, 0), Buffer.byteLength(LINES.slice(0, 300).join(''))),
    (directory: string) =>
      writeFileSync(
        segmentPath(directory, 0),
        `${LINES.slice(0, -1).join('')}${LINES.at(-1)!.replace(/[0-9a-f]{64}"\}\n$/, `${'0'.repeat(64)}"}\n`)}`,
      ),
  ]) {
    const directory = join(temporary(), 'audit')
    const files = writeSegments(directory, LINES, [0])
    await feed(files, none)
    change(directory)
    let restarts = 0
    await feed(files, () => restarts++)
    assert.equal(restarts, 1)
    assert.deepEqual(await contentOf(directory), await rebuilt(files))
  }
})

test('a damaged, foreign, older or half-deleted index is made anew and said, and answers as before', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, LINES, [0, 300])
  const right = await rebuilt(files)
  const path = join(directory, INDEX_NAME)
  const { DatabaseSync } = await loadSqlite()
  const fresh = () => {
    removeIndex(directory)
    return path
  }
  const damages: [RegExp, () => void][] = [
    [/damaged/, () => writeFileSync(fresh(), 'not a database, but long enough to look at: '.repeat(300))],
    [/damaged/, () => void writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 4096), Buffer.alloc(20_000, 7)]))],
    [/foreign/, () => new DatabaseSync(fresh()).exec('CREATE TABLE theirs (x)')],
    [/older/, () => new DatabaseSync(path).exec('PRAGMA user_version = 99')],
    [/^$/, () => rmSync(fresh(), { force: true })],
  ]
  for (const [said, damage] of damages) {
    damage()
    const notices: string[] = []
    const source = await openSource(files, { onNotice: (text) => notices.push(text) })
    assert.equal(source.kind, 'index')
    source.close()
    assert.match(notices.join('\n'), said)
    assert.deepEqual(await contentOf(directory), right)
  }
})

/** Pages of the WAL that a checkpoint has brought into the file when the process that did it is killed: every other one. */
function tearCheckpoint(path: string): void {
  const [file, wal] = [readFileSync(path), readFileSync(`${path}-wal`)]
  const pageBytes = wal.readUInt32BE(8)
  const salt = wal.toString('hex', 16, 24) // a frame of another one is from before the log began anew
  for (let at = 32, frame = 0; at + 24 + pageBytes <= wal.length; at += 24 + pageBytes, frame++) {
    const place = (wal.readUInt32BE(at) - 1) * pageBytes
    const isOwn = wal.toString('hex', at + 8, at + 16) === salt
    if (isOwn && frame % 2 === 1 && place + pageBytes <= file.length) wal.copy(file, place, at + 24, at + 24 + pageBytes)
  }
  writeFileSync(path, file)
}

test('a deletion of the index that is killed at any of its steps leaves nothing that answers wrong, were its checkpoint torn too', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, LINES.slice(0, 400), [0])
  const crashed = join(temporary(), 'crashed')
  await feed(files) // and closed: all of it is in the file
  const index = await openIndexDatabase(directory)
  appendFileSync(segmentPath(directory, 0), LINES.slice(400).join(''))
  await feedIndex(index, files)
  mkdirSync(crashed)
  for (const suffix of ['', '-wal']) copyFileSync(join(directory, INDEX_NAME + suffix), join(crashed, INDEX_NAME + suffix))
  index.close()
  const right = await rebuilt(files)
  for (const torn of [false, true])
    for (let killedAt = 0; killedAt <= 3; killedAt++) {
      removeIndex(directory)
      for (const suffix of ['', '-wal']) copyFileSync(join(crashed, INDEX_NAME + suffix), join(directory, INDEX_NAME + suffix))
      if (torn) tearCheckpoint(join(directory, INDEX_NAME))
      let removed = 0
      const remove = (path: string): void => {
        if (removed++ === killedAt) throw new Error('killed')
        rmSync(path, { force: true })
      }
      if (killedAt < 3) assert.throws(() => removeIndex(directory, remove), /killed/)
      else removeIndex(directory, remove)
      await feed(files)
      assert.deepEqual(await contentOf(directory), right, `torn: ${torn}, killed before deletion ${killedAt}`)
    }
})

test('the index is readable by its owner only, and a link in its place is not followed', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, LINES.slice(0, 5), [0])
  const index = await openIndexDatabase(directory)
  await feedIndex(index, files)
  for (const suffix of ['', '-wal', '-shm']) assert.equal(statSync(join(directory, INDEX_NAME + suffix)).mode & 0o777, 0o600)
  index.close()
  removeIndex(directory)
  const other = join(temporary(), 'other.db')
  copyFileSync(segmentPath(directory, 0), other)
  symlinkSync(other, join(directory, INDEX_NAME))
  await assert.rejects(openIndexDatabase(directory), (e) => SwornError.is(e, 'IO_FAILED'))
  assert.equal(readFileSync(other, 'utf8'), LINES.slice(0, 5).join(''))
})

test('a ledger whose seq goes back is not indexed but read line by line', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, [...LINES.slice(0, 10), LINES[3]!, ...LINES.slice(10, 20)], [0])
  const notices: string[] = []
  const source = await openSource(files, { onNotice: (text) => notices.push(text) })
  assert.equal(source.kind, 'scan')
  assert.match(notices[0]!, /LINE_MALFORMED/)
  const found = await Array.fromAsync(source.find({ filter: {}, order: { sort: 'seq', descending: false } }))
  assert.equal(found.length, 21)
})

/** Where a source says that lines are no entries, and what it finds. */
async function readAll(files: LedgerFiles, index: boolean): Promise<{ readonly bad: string[]; readonly lines: string[] }> {
  const bad: string[] = []
  const source = await openSource(files, { index, onUnreadable: ({ file, number }) => bad.push(`${basename(file)}:${number}`) })
  try {
    assert.equal(source.kind, index ? 'index' : 'scan')
    const found = await Array.fromAsync(source.find({ filter: {}, order: { sort: 'seq', descending: false } }))
    return { bad, lines: found.map(({ line }) => line.toString()) }
  } finally {
    source.close()
  }
}

test('lines that are no entries cost the index nothing: it names each one, as a reader of all lines does', async () => {
  const bad = fc.constantFrom('not json\n', '[1]\n', '\n', '{"seq":-0.5}\n', '{"a":1}\n', `{"seq":3}${' '.repeat(2 << 20)}\n`)
  const piece = fc.record({ at: fc.nat(40), lines: fc.array(bad, { minLength: 1, maxLength: 3 }), replaces: fc.boolean() })
  const ledger = fc.record({
    pieces: fc.array(piece, { maxLength: 4 }),
    fedAt: fc.array(fc.nat(60), { maxLength: 3 }),
    packing: fc.constantFrom('plain', 'zst'),
  })
  await fc.assert(
    fc.asyncProperty(ledger, async ({ pieces, fedAt, packing }) => {
      const lines: string[] = LINES.slice(0, 40)
      for (const { at, lines: put, replaces } of pieces) lines.splice(at, replaces ? 1 : 0, ...put)
      const directory = join(temporary(), 'audit')
      const [first, second] = [lines.slice(0, 20).join(''), lines.slice(20)]
      const start = second.map((line) => /"seq":(\d+),"prev/.exec(line)?.[1]).find(Boolean) ?? 50
      writeSegments(directory, [], [])
      writeFileSync(segmentPath(directory, 0, packing), packing === 'zst' ? zstdCompressSync(first) : first)
      const files = findLedger(directory, '/')
      for (const count of fedAt.filter((n) => n < second.length).sort((a, b) => a - b)) {
        writeFileSync(segmentPath(directory, Number(start)), second.slice(0, count).join(''))
        await feed(files)
      }
      writeFileSync(segmentPath(directory, Number(start)), second.join(''))
      assert.deepEqual(await readAll(files, true), await readAll(files, false))
      const right = await contentOf(directory)
      assert.deepEqual(right, await rebuilt(files))
    }),
    { numRuns: 10 * slow },
  )
})

test('a ledger of which every second line is no entry is indexed like any other', { skip: later }, async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(
    directory,
    Array.from({ length: 150_000 }, (_, seq) => `{"seq":${seq}}\n\n`),
    [0],
  )
  let bad = 0
  const source = await openSource(files, { onUnreadable: () => bad++ })
  assert.deepEqual([source.kind, bad, await source.count({}, [])], ['index', 150_000, [{ texts: [], entries: 150_000 }]])
  source.close()
})

test('what stood behind the last entry and is cut off again is not remembered, and what comes in its place is indexed', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, [...LINES.slice(0, 10), 'torn and whole\n'], [0])
  assert.deepEqual((await readAll(files, true)).bad.length, 1)
  writeFileSync(segmentPath(directory, 0), LINES.slice(0, 30).join(''))
  assert.deepEqual(await readAll(files, true), { bad: [], lines: LINES.slice(0, 30).map((line) => line.slice(0, -1)) })
})

test('a stable file that begins with lines that are no entries is indexed too; nothing but such lines is read each time', async () => {
  const path = join(temporary(), 'audit.jsonl')
  writeSegments(`${path}.ledger`, [], [])
  const files = findLedger(path, '/')
  writeFileSync(path, `\nfoo\n${LINES.slice(0, 9).join('')}`)
  assert.deepEqual(await readAll(files, true), await readAll(files, false))
  writeFileSync(path, '\nfoo\n')
  assert.deepEqual(await readAll(files, false), { bad: ['audit.jsonl:1', 'audit.jsonl:2'], lines: [] })
})

test('made on threads or without, of pieces that follow each other in one place, the index is the same', async () => {
  const directory = join(temporary(), 'audit')
  const many = linesOf(Array.from({ length: 3000 }, (_, n) => ({ ...EVENTS[n % EVENTS.length], n, note: 'x'.repeat(n % 900) })))
  const files = writeSegments(directory, many, [0, 300, 2990], 'zst')
  const right = await rebuilt(files)
  const feedOnThreads = async () => {
    removeIndex(directory)
    const index = await openIndexDatabase(directory)
    await feedIndex(index, files, { threads: 2 }).finally(() => index.close())
  }
  await feedOnThreads()
  assert.deepEqual(await contentOf(directory), right)
  appendFileSync(segmentPath(directory, 2990), many[10]!)
  await assert.rejects(feedOnThreads(), (e) => SwornError.is(e, 'LINE_MALFORMED'))
})

test('an indexer that is killed anywhere loses and doubles nothing', async () => {
  const directory = join(temporary(), 'audit')
  const many = linesOf(Array.from({ length: 14_000 }, (_, n) => ({ ...EVENTS[n % EVENTS.length], n })))
  const files = writeSegments(directory, many, [0, 7000])
  const right = await rebuilt(files)
  const child = fileURLToPath(new URL('./support/index-child.ts', import.meta.url))
  for (let kill = 0; kill < 4 * slow; kill++) {
    removeIndex(directory)
    const process_ = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source', child, directory])
    const ended = once(process_, 'exit')
    for (let batches = 0; batches <= kill % 4; batches++) await Promise.race([once(process_.stdout, 'data'), ended])
    process_.kill('SIGKILL')
    await ended
    await feed(files, none)
    assert.deepEqual(await contentOf(directory), right)
  }
})

test('two that feed at once and one that reads meanwhile: every entry once, and each answer is of one moment', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, LINES.slice(0, 100), [0])
  await feed(files)
  const path = segmentPath(directory, 0)
  const reading = await openIndexDatabase(directory)
  const counts: [number, number][] = []
  for (let end = 100; end < 700; end += 100) {
    appendFileSync(path, LINES.slice(end, end + 100).join(''))
    const feeds = [feed(files, none), feed(files, none)]
    const read = reading.db
      .prepare('SELECT (SELECT count(*) FROM entry) AS entries, (SELECT sum(entries) FROM kind_count) AS counted')
      .get()
    counts.push([Number(read?.entries), Number(read?.counted)])
    await Promise.all(feeds)
  }
  reading.close()
  for (const [entries, counted] of counts) assert.equal(entries, counted)
  assert.deepEqual(await contentOf(directory), await rebuilt(files))
})

test('without a Node that keeps every text there is no index, and queries answer all the same', async () => {
  for (const [version, holds] of [
    ['22.23.3', false],
    ['24.15.0', false],
    ['24.16.0', true],
    ['25.9.0', false],
    ['26.0.0', false],
    ['26.1.0', true],
    ['28.0.0', true],
  ] as const)
    assert.equal(isSupported(version), holds, version)
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, LINES.slice(0, 20), [0])
  const { versions } = process
  Object.defineProperty(process, 'versions', { value: { ...versions, node: '22.23.3' } })
  try {
    await assert.rejects(loadSqlite(), (e) => SwornError.is(e, 'NODE_TOO_OLD'))
    const notices: string[] = []
    const source = await openSource(files, { onNotice: (text) => notices.push(text) })
    assert.deepEqual([source.kind, await source.count({}, [])], ['scan', [{ texts: [], entries: 20 }]])
    assert.match(notices.join(), /^no index, every line is read: NODE_TOO_OLD Node 22\.23\.3 found, 24\.16 needed for SQLite$/)
  } finally {
    Object.defineProperty(process, 'versions', { value: versions })
  }
})
