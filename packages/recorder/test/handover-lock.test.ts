/** The lock of a ledger on each platform that can be shown here. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { prepareLedgerDirectory, prepareSocketDirectories } from '../src/handover/directories.ts'
import { establish } from '../src/handover/establish.ts'
import { acquireLock, readHolder, writeHolder } from '../src/handover/lock.ts'
import { openThreadDoor } from '../src/handover/open-thread-door.ts'
import { createPermits } from '../src/handover/permit.ts'
import { findPlaces, mountType, networkName, nodePlatform, type Platform } from '../src/handover/platform.ts'
import { PATIENCE, type Setup } from '../src/handover/setup.ts'
import { openFakeLedger } from './support/fake-ledger.ts'
import { temporaryDirectory } from './support/temporary.ts'

const runtime = () => join(temporaryDirectory(), 'run')
const darwin = (): Platform => ({ ...nodePlatform(), kind: 'darwin', bootId: '', runtimeDirectory: runtime() })

test('the lock name is that of docs/format.md', { skip: process.platform !== 'linux' && 'Linux only' }, () => {
  const directory = temporaryDirectory()
  const { dev, ino } = statSync(directory, { bigint: true })
  const hex = createHash('sha256').update(`${dev} ${ino}`).digest('hex').slice(0, 32)
  assert.equal(findPlaces(directory, nodePlatform()).lockAddress, `\0sworn/${hex}`)
})

test('every path to one directory leads to one lock', () => {
  const directory = temporaryDirectory()
  const alias = join(temporaryDirectory(), 'alias')
  symlinkSync(directory, alias)
  const platform = nodePlatform()
  assert.equal(findPlaces(alias, platform).lockAddress, findPlaces(directory, platform).lockAddress)
})

for (const [name, platform] of [
  ['this platform', nodePlatform()],
  ['macOS', darwin()],
] as const) {
  test(`${name}: the second one does not get the lock, the next one does`, async () => {
    const places = findPlaces(temporaryDirectory(), platform)
    prepareSocketDirectories(places, platform)
    const first = await acquireLock(places, platform)
    assert.ok(first)
    assert.equal(await acquireLock(places, platform), undefined)
    await first.release()
    const next = await acquireLock(places, platform)
    assert.ok(next)
    await next.release()
  })
}

test('the lock accepts nothing: whoever connects is dropped without a byte', async () => {
  const platform = nodePlatform()
  const places = findPlaces(temporaryDirectory(), platform)
  const lock = await acquireLock(places, platform)
  const socket = connect({ path: places.lockAddress })
  let bytes = 0
  socket.on('data', (chunk) => {
    bytes += chunk.length
  })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('close', resolve))
  assert.equal(bytes, 0)
  await lock!.release()
})

test('macOS: the lock file of a killed process is removed, and of racers at most one gets the lock', async () => {
  const platform = darwin()
  const places = findPlaces(temporaryDirectory(), platform)
  prepareSocketDirectories(places, platform)
  const stale = `${places.lockAddress}-dead`
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ])
  assert.ok(existsSync(stale))
  for (let round = 0; round < 20; round++) {
    const taken = (await Promise.all([1, 2, 3].map(() => acquireLock(places, platform)))).filter((lock) => lock !== undefined)
    assert.ok(taken.length <= 1, `${taken.length} hold it`)
    for (const lock of taken) await lock.release()
  }
  const last = await acquireLock(places, platform)
  assert.ok(last)
  assert.equal(existsSync(stale), false)
  await last.release()
})

test('a runtime directory that others may enter is refused', () => {
  const platform = darwin()
  const places = findPlaces(temporaryDirectory(), platform)
  mkdirSync(platform.runtimeDirectory)
  chmodSync(platform.runtimeDirectory, 0o755)
  assert.throws(
    () => prepareSocketDirectories(places, platform),
    (e) => SwornError.is(e, 'LEDGER_BUSY'),
  )
})

test('a log file that lost its directory is not made into a new ledger', () => {
  const path = join(temporaryDirectory(), 'audit.jsonl')
  writeFileSync(path, 'x')
  assert.throws(
    () => prepareLedgerDirectory({ path, root: `${path}.ledger` }, false),
    (e) => SwornError.is(e, 'LEDGER_DETACHED'),
  )
})

test('a ledger that must exist is not made', () => {
  const path = join(temporaryDirectory(), 'none')
  assert.throws(
    () => prepareLedgerDirectory({ path, root: path }, true),
    (e) => SwornError.is(e, 'LEDGER_NOT_FOUND'),
  )
  assert.equal(existsSync(path), false)
})

function setupOn(directory: string, platform: Platform): Setup {
  const places = findPlaces(directory, platform)
  prepareSocketDirectories(places, platform)
  return {
    places,
    platform,
    openLedger: () => openFakeLedger(directory),
    permits: createPermits(directory),
    producerId: 'p',
    swornVersion: '0.1.0',
    syncDelayMs: 5,
    patience: PATIENCE,
  }
}

test('on a shared file system a holder of another boot is LEDGER_BUSY, on a local one it is dead', async () => {
  const directory = temporaryDirectory()
  const local = nodePlatform()
  const setup = setupOn(directory, { ...local, isShared: () => true })
  writeHolder(setup.places, { pid: 4242, boot: 'another-boot', started: '2026-01-01T00:00:00.000Z' })
  await assert.rejects(establish(setup, undefined), (e) => SwornError.is(e, 'LEDGER_BUSY') && e.message.includes('4242'))
  const role = await establish(setupOn(directory, { ...local, isShared: () => false }), undefined)
  assert.equal(readHolder(setup.places)?.pid, process.pid)
  await role.close()
  assert.equal(readHolder(setup.places), undefined)
})

test('macOS: two processes share a ledger', async () => {
  const directory = temporaryDirectory()
  const platform = darwin()
  const first = await establish(setupOn(directory, platform), undefined)
  const second = await establish(setupOn(directory, platform), undefined)
  assert.deepEqual([first.kind, second.kind], ['recorder', 'client'])
  await second.close()
  await first.close()
})

const MOUNTS = [
  '21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
  '30 21 0:40 / /mnt/disk rw - fuse.gocryptfs /secret rw',
  '31 21 0:41 / /mnt/my\\040bucket rw - fuse.s3fs s3fs rw',
  '32 31 0:42 / /mnt/my\\040bucket/local rw - ext4 /dev/vdb rw',
].join('\n')

const networks: [string, number, string | undefined][] = [
  ['/x', 0x6969, 'NFS'],
  ['/x', 0xff534d42, 'CIFS'],
  ['/x', 0xfe534d42, 'SMB2'],
  ['/x', 0xef53, undefined],
  ['/mnt/disk/audit', 0x65735546, undefined],
  ['/mnt/my bucket', 0x65735546, 'fuse.s3fs'],
  ['/mnt/my bucket/audit', 0x65735546, 'fuse.s3fs'],
  ['/mnt/my bucket2', 0x65735546, undefined],
]
for (const [directory, type, expected] of networks) {
  test(`statfs type 0x${type.toString(16)} at ${directory} is ${expected ?? 'a local file system'}`, () => {
    assert.equal(
      networkName(type, () => mountType(directory, MOUNTS)),
      expected,
    )
  })
}

test('a ledger on a network file system is refused before anything is made there, unless that is wanted', async () => {
  const directory = temporaryDirectory()
  const platform = { ...nodePlatform(), networkFileSystem: () => 'NFS' }
  const opening = (sharedFileSystem: boolean) => {
    const options = { ledger: { path: directory, home: directory }, producerId: 'p', swornVersion: '0', syncDelayMs: 5, patience: PATIENCE }
    const driver = { place: { path: directory, root: directory }, open: () => openFakeLedger(directory) }
    return openThreadDoor({ ...options, ephemeral: false, sharedFileSystem }, { spawnRecorder: () => undefined }, driver, platform)
  }
  assert.throws(
    () => opening(false),
    (e) => SwornError.is(e, 'IO_FAILED') && /found NFS/.test(e.message),
  )
  assert.deepEqual(readdirSync(directory), [])
  await (await opening(true)).close()
})

test('this machine keeps its temporary files on a local file system', { skip: process.platform !== 'linux' && 'Linux only' }, () => {
  assert.equal(nodePlatform().networkFileSystem(temporaryDirectory()), undefined)
})
