/** The socket lets a process record; erasing, pruning and packing are for who keeps the keys. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { createFrameReader, type FrameBody, formatFrame } from '../src/handover/frames.ts'
import { openPortHere } from '../src/handover/open-port-here.ts'
import { createPermits } from '../src/handover/permit.ts'
import type { Operation } from '../src/ledger/operate.ts'
import { openRealPortHere } from './support/real-port.ts'
import { temporaryDirectory, temporaryLedger } from './support/temporary.ts'

const PACK: Operation = { kind: 'pack', form: 'gzip' }
const PRUNE: Operation = { kind: 'prune', upTo: 9, policy: 'all', unanchored: true }
const LOG = 'log'

test('a permit holds once, for its step alone, and leaves no file', async () => {
  const home = temporaryDirectory()
  mkdirSync(join(home, 'keys', LOG), { recursive: true })
  const permits = createPermits(home)
  const taken = await permits.with(LOG, PACK, async (permit) => [
    permits.take(LOG, permit, PACK),
    permits.take(LOG, permit, PACK), // again
  ])
  assert.deepEqual(taken, [true, false])
  assert.equal(await permits.with(LOG, PACK, async (permit) => permits.take(LOG, permit, PRUNE)), false)
  assert.equal(await permits.with(LOG, PACK, async (permit) => createPermits(temporaryDirectory()).take(LOG, permit, PACK)), false)
  assert.deepEqual(readdirSync(join(home, 'keys', LOG)), [])
})

test('no name leads out of the folder of the keys, and no link is followed', async () => {
  const home = temporaryDirectory()
  const keys = join(home, 'keys', LOG)
  mkdirSync(keys, { recursive: true })
  const permits = createPermits(home)
  const permit = 'a'.repeat(32)
  await permits.with(LOG, PACK, async (real) => symlinkSync(join(keys, `permit-${real}`), join(keys, `permit-${permit}`)))
  writeFileSync(join(home, 'x'), '')
  for (const name of [permit, '../../x', '', 'A'.repeat(32), '\0'.repeat(32)]) assert.equal(permits.take(LOG, name, PACK), false)
  assert.ok(existsSync(join(home, 'x')))
})

test('who keeps the keys may operate on a ledger that another process records; who only has the socket may not', async () => {
  const path = temporaryLedger()
  const holder = await openRealPortHere(path)
  const operator = await openRealPortHere(path)
  assert.deepEqual(await operator.operate(PACK), { packed: 0 })
  const stranger = await openPortHere({ path, home: temporaryDirectory(), version: '0.1.0' })
  await assert.rejects(stranger.operate(PACK), (e) => SwornError.is(e, 'LEDGER_STATE_MISSING'))
  assert.match(JSON.stringify(await askRaw(path, { kind: 'operate', id: 1, operation: PRUNE, permit: 'a'.repeat(32) })), /"APPEND_REFUSED"/)
  for (const port of [stranger, operator, holder]) await port.close()
})

/** What a client of its own making is answered. */
async function askRaw(path: string, request: FrameBody): Promise<FrameBody | undefined> {
  const socket = connect({ path: join(path, 'log.sock') })
  const reader = createFrameReader()
  const answered = Promise.withResolvers<FrameBody | undefined>()
  socket.on('error', answered.reject)
  socket.on('close', () => answered.resolve(undefined))
  socket.on('data', (chunk: Buffer) => {
    for (const body of reader.push(chunk)) {
      if (body.kind === 'greeting') socket.write(formatFrame({ kind: 'hello', version: 2, producer: 'p' }))
      if (body.kind === 'welcome') socket.write(formatFrame(request))
      if (body.kind === 'answer') answered.resolve(body)
    }
  })
  const answer = await answered.promise
  socket.destroy()
  return answer
}
