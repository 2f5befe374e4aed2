/** Where a ledger lies on a real disk: links, modes, other users, descriptors, and several ledgers of one user. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SwornError } from '@sworn/verify'
import { createPageCache } from '../../../testkit/src/fault/page-cache.ts'
import { openPortHere } from '../src/handover/open-port-here.ts'
import type { OpenMode } from '../src/ledger/file-ops.ts'
import { type Ledger, openLedger } from '../src/ledger/ledger.ts'
import { createCase, HOME, item, outcome } from './support/ledger-case.ts'
import { acksOf } from './support/port-contract.ts'
import { openRealPort } from './support/real-port.ts'
import { sample } from './support/submissions.ts'
import { temporaryDirectory, temporaryLedger } from './support/temporary.ts'

const child = fileURLToPath(new URL('./support/place-child.ts', import.meta.url))
const flags = ['--conditions=sworn-source', '--disable-warning=ExperimentalWarning', child]
const isRoot = process.getuid?.() === 0
const NOBODY = 65_534

function fill(ledger: Ledger, from: number, count: number): void {
  for (let n = from; n < from + count; n++) assert.equal(outcome(ledger.append([item(n, 'sync')])[0]), 'ack')
}

test('a log file behind a symbolic link is rotated where it lies, and both names lead to one ledger', () => {
  const directory = temporaryDirectory()
  const home = join(directory, 'home')
  const [real, link] = [join(directory, 'disk', 'audit.jsonl'), join(directory, 'audit.jsonl')]
  mkdirSync(join(directory, 'disk'))
  openLedger({ path: real, home }).close()
  symlinkSync(real, link)
  const ledger = openLedger({ path: link, home, rotateBytes: 2000 })
  fill(ledger, 0, 9)
  assert.equal(ledger.info.path, realpathSync(real))
  ledger.close()
  assert.ok(lstatSync(link).isSymbolicLink(), 'the link is still one')
  assert.ok(readdirSync(`${real}.ledger/segments`).every((name) => lstatSync(join(`${real}.ledger/segments`, name)).isFile()))
  assert.equal(existsSync(`${link}.ledger`), false)
  const again = openLedger({ path: real, home })
  assert.equal(outcome(again.append([item(0, 'sync')])[0]), 'ack')
  again.close()
})

test('a ledger directory behind a symbolic link is one ledger under both names', () => {
  const directory = temporaryDirectory()
  const home = join(directory, 'home')
  mkdirSync(join(directory, 'disk'))
  symlinkSync(join(directory, 'disk'), join(directory, 'link'))
  openLedger({ path: join(directory, 'link'), home }).close()
  openLedger({ path: join(directory, 'disk'), home }).close()
  const known = JSON.parse(readFileSync(join(home, 'ledgers.json'), 'utf8'))
  assert.deepEqual(Object.keys(known), [realpathSync(join(directory, 'disk'))])
})

for (const umask of ['000', '022', '077', '777']) {
  test(`files are 0600 and directories 0700 under umask ${umask}, closed segments 0444`, { skip: process.platform === 'win32' }, () => {
    const directory = temporaryDirectory()
    const ran = spawnSync('sh', ['-c', `umask ${umask}; exec "$0" "$@"`, process.execPath, ...flags, directory], { encoding: 'utf8' })
    assert.equal(ran.status, 0, ran.stderr)
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
    assert.ok(entries.length > 15)
    const active = readdirSync(join(directory, 'ledger', 'segments'))
      .filter((name) => name.endsWith('.jsonl'))
      .toSorted()
      .at(-1)
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name)
      const mode = statSync(path).mode & 0o777
      const isClosed = /^\d{20}\.jsonl$/.test(entry.name) && entry.name !== active
      assert.equal(mode.toString(8), entry.isDirectory() ? '700' : isClosed ? '444' : '600', path)
    }
  })
}

test('what the owner made readable for a shipper stays readable', () => {
  const directory = temporaryDirectory()
  const [path, home] = [join(directory, 'audit.jsonl'), join(directory, 'home')]
  openLedger({ path, home }).close()
  chmodSync(path, 0o640)
  openLedger({ path, home }).close()
  assert.equal(statSync(path).mode & 0o777, 0o640)
})

test('a ledger of another user is a clear error and nothing in it changes', { skip: isRoot ? false : 'root is needed' }, () => {
  const directory = temporaryDirectory()
  assert.equal(spawnSync(process.execPath, [...flags, directory]).status, 0)
  const files = () => readdirSync(directory, { recursive: true }).toSorted()
  const before = files()
  chmodSync(directory, 0o755)
  const asOther = spawnSync(process.execPath, [...flags, directory], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' })
  assert.equal(asOther.status, 1)
  assert.match(asOther.stdout, /^(IO_FAILED|LEDGER_BUSY) /)
  assert.doesNotMatch(asOther.stderr, /\n\s+at /)
  assert.deepEqual(files(), before)
})

test('a data socket that another user put into the directory is not spoken to', { skip: isRoot ? false : 'root is needed' }, async () => {
  const path = temporaryLedger()
  const holder = await openRealPort(path)
  chownSync(join(path, 'log.sock'), NOBODY, NOBODY)
  try {
    await assert.rejects(openRealPort(path), (e) => SwornError.is(e, 'LEDGER_BUSY') && /another user/.test(e.message))
  } finally {
    await holder.close()
  }
})

/** Descriptors that lead below `directory`, and all sockets and threads of this process. */
function held(directory: string) {
  const links = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return [] // the one that listed them
    }
  })
  return {
    files: links.filter((link) => link.startsWith(directory)).length,
    sockets: links.filter((link) => link.startsWith('socket:')).length,
    others: links.filter((link) => !link.startsWith(directory) && !link.startsWith('socket:')).length,
    threads: readdirSync('/proc/self/task').length,
  }
}

/** Sockets are closed a turn of the loop after their `close`. */
async function settled(directory: string, expected: ReturnType<typeof held>): Promise<ReturnType<typeof held>> {
  for (let n = 0; n < 3000 && JSON.stringify(held(directory)) !== JSON.stringify(expected); n++) await sleep(10)
  return held(directory)
}

const ROUNDS = { fast: 20, ci: 50, full: 200 }[process.env.SWORN_TESTS ?? 'fast'] ?? 20
const linuxOnly = process.platform === 'linux' ? false : 'needs /proc'

test(`a ledger opened and closed ${ROUNDS} times in one process leaves no descriptor, socket or thread behind`, {
  skip: linuxOnly,
}, async () => {
  const path = temporaryLedger()
  const open = () => openPortHere({ path, home: `${path}.home` })
  const round = async (n: number) => {
    const recorder = await open()
    const client = await open()
    assert.equal(acksOf(await client.submit([sample(n)])).length, 1)
    await client.close()
    await recorder.close()
  }
  await round(0)
  const before = held(path)
  for (let n = 1; n <= ROUNDS; n++) await round(n)
  assert.deepEqual(await settled(path, before), before)
  assert.equal(before.files, 0)
})

test(`the same with ${ROUNDS / 10} threads of their own`, { skip: linuxOnly }, async () => {
  const path = temporaryLedger()
  const round = async () => (await openRealPort(path)).close()
  await round()
  const before = held(path)
  for (let n = 0; n < ROUNDS / 10; n++) await round()
  assert.deepEqual(await settled(path, before), before)
})

test('a recorder that another one fenced off lets its descriptors go', { skip: linuxOnly }, async () => {
  const path = temporaryLedger()
  const port = await openPortHere({ path, home: `${path}.home` })
  try {
    await port.submit([sample(1)])
    const before = held(path)
    for (let n = 0; n < 5; n++) {
      rmSync(join(path, 'log.sock')) // as if another container had taken the name
      assert.equal(acksOf(await port.submit([sample(2 + n)])).length, 1)
    }
    assert.deepEqual(await settled(path, before), before)
  } finally {
    await port.close()
  }
})

test('an opening that fails half-way lets its descriptors go, however often it is tried', () => {
  const memory = createPageCache()
  let open = 0
  const ops = {
    ...memory,
    open: (path: string, mode: OpenMode) => ++open && memory.open(path, mode),
    close: (fd: number) => void (open-- && memory.close(fd)),
  }
  const count = createCase('count', memory)
  const ledger = count.open()
  fill(ledger, 0, 3)
  ledger.close()
  for (const victim of ['ids', 'mac', '0.pem', 'L0', 'reserved.jsonl', '00000000000000000000.jsonl']) {
    const failing = { ...ops, open: (path: string, mode: OpenMode) => (path.endsWith(`/${victim}`) ? fail() : ops.open(path, mode)) }
    for (let n = 0; n < 3; n++)
      assert.throws(
        () => count.open({ fileOps: failing }),
        (e) => SwornError.is(e),
        victim,
      )
    assert.equal(open, 0, victim)
  }
})

function fail(): never {
  throw Object.assign(new Error('EIO'), { code: 'EIO' })
}

test('ledgers of one user that open at the same moment keep each other in the list of known ledgers', () => {
  const disk = createCase()
  const others = ['/b', '/c', '/d']
  const ops = {
    ...disk.ops,
    open(path: string, mode: OpenMode) {
      const fd = disk.ops.open(path, mode)
      const next = path.startsWith(`${HOME}/ledgers.json.`) ? others.shift() : undefined
      if (next !== undefined) disk.open({ path: next, fileOps: ops })
      return fd
    },
  }
  disk.open({ fileOps: ops })
  const known = JSON.parse(disk.ops.content(`${HOME}/ledgers.json`)?.toString() ?? '')
  assert.deepEqual(Object.keys(known).toSorted(), ['/audit', '/b', '/c', '/d'])
  assert.deepEqual(disk.ops.readdir(HOME).toSorted(), ['keys', 'ledgers.json'])
})
