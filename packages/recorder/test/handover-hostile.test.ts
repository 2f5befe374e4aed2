/** What reaches the data socket is hostile: none of it stops, blocks or fills the recorder. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { createFrameReader, type FrameBody, formatFrame, MAX_FRAME_BYTES } from '../src/handover/frames.ts'
import { parseRequest } from '../src/handover/messages.ts'
import { serveSession } from '../src/handover/session.ts'
import { createUnfinished } from '../src/handover/unfinished.ts'
import type { WorkerPort } from '../src/port/worker.ts'
import { openFakePort } from './support/fake-port.ts'
import { acksOf } from './support/port-contract.ts'
import { sample } from './support/submissions.ts'
import { temporaryDirectory } from './support/temporary.ts'

const seed = 20_260_101
let port: WorkerPort
after(() => port.close()) // before the directory is removed: hooks run in this order
const path = temporaryDirectory()
before(async () => {
  port = await openFakePort(path)
})

function dial(): Socket {
  const socket = connect({ path: join(path, 'log.sock') })
  socket.on('error', () => undefined)
  return socket
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.resume().once('close', () => resolve()))
const stillRecords = async () => assert.equal(acksOf(await port.submit([sample(1)])).length, 1)
const hello = formatFrame({ kind: 'hello', version: 1, producer: 'p' })
const length = (bytes: number) => {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(bytes)
  return header
}

const greeting = { versions: [1], sworn: '0', nonce: 'n', pid: 1, logId: '' }

const streams: [string, Buffer][] = [
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['a frame of no bytes', length(0)],
  ['a frame longer than 4 MiB', length(MAX_FRAME_BYTES + 1)],
  ['a frame that is not JSON', Buffer.concat([length(3), Buffer.from('{a}')])],
  ['a frame that is an array', Buffer.concat([length(2), Buffer.from('[]')])],
  ['bytes that are not UTF-8', Buffer.concat([length(2), Buffer.from([0xff, 0xfe])])],
  ['deep nesting', Buffer.concat([length(200_000), Buffer.from('['.repeat(200_000))])],
  ['a request before the hello', formatFrame({ kind: 'flush', id: 1 })],
  ['a hello of another version', formatFrame({ kind: 'hello', version: 3, producer: 'p' })],
  ['a request before the welcome', Buffer.concat([hello, formatFrame({ kind: 'nonsense', id: 1 })])],
]
for (const [what, bytes] of streams) {
  test(`${what} ends that connection and nothing else`, async () => {
    const socket = dial()
    socket.write(bytes)
    await closed(socket)
    await stillRecords()
  })
}

test('a client with an invented acknowledgement is refused alone', async () => {
  const socket = dial()
  const newest = { logId: 'fake', seq: 12_345, entryHash: 'a'.repeat(64) }
  const reader = createFrameReader()
  const frames: FrameBody[] = []
  socket.on('data', (chunk) => void frames.push(...reader.push(chunk)))
  socket.write(formatFrame({ kind: 'hello', version: 1, producer: 'p', newest }))
  await closed(socket)
  assert.match(JSON.stringify(frames[1]), /"code":"ACKNOWLEDGED_LOST"/)
  await stillRecords()
})

test('a client that never reads is not read from, and the others go on', { timeout: 120_000 }, async () => {
  const socket = dial()
  socket.pause()
  socket.write(hello)
  await new Promise((resolve) => socket.once('readable', resolve)) // the greeting
  const items = Array.from({ length: 500 }, (_, n) => sample(n, 'batch'))
  const frame = formatFrame({ kind: 'submit', id: 1, items })
  await new Promise((resolve) => setTimeout(resolve, 100))
  let stuck = false
  for (let n = 0; n < 300 && !stuck; n++) stuck = await isStuck(socket, frame)
  assert.ok(stuck, 'the recorder stopped reading')
  await stillRecords()
  socket.destroy()
})

/** Writes; true when the kernel and the recorder take nothing for a while. */
function isStuck(socket: Socket, frame: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), 700)
    socket.write(frame, () => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}

/** The recorder's end of a fresh connection, with these limits. */
async function served(limits: { helloMs: number; frameMs: number }, say: (client: Socket) => void): Promise<void> {
  const accepted = Promise.withResolvers<Socket>()
  const server = createServer((socket) => {
    serveSession(socket, { greeting: () => greeting, opened: new Promise(() => undefined) }, { limits })
    accepted.resolve(socket)
  })
  const address = join(temporaryDirectory(), 's')
  await new Promise<void>((resolve) => server.listen(address, resolve))
  const client = connect({ path: address })
  client.on('error', () => undefined)
  say(client)
  await closed(await accepted.promise)
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

test('a client that says nothing is dropped in time', () => served({ helloMs: 40, frameMs: 1e6 }, () => undefined))

test('a client that sends a frame byte by byte without end is dropped in time', async () => {
  let drip: NodeJS.Timeout | undefined
  await served({ helloMs: 1e6, frameMs: 40 }, (client) => {
    client.write(Buffer.concat([length(1_000_000), Buffer.from('{')]))
    drip = setInterval(() => client.write(' '), 5)
  })
  clearInterval(drip)
})

test('frames that all clients together leave unfinished are bounded: whose frame is open longest goes, whoever finishes stays', () => {
  const [slow, other, honest] = [0, 0, 0]
    .map(() => ({ gone: 0, destroy: () => 0 }))
    .map((one) => Object.assign(one, { destroy: () => one.gone++ }))
  const unfinished = createUnfinished(100)
  for (const bytes of [10, 20, 40]) unfinished.hold(slow!, bytes)
  unfinished.hold(other!, 50)
  unfinished.hold(honest!, 10)
  unfinished.hold(honest!, 0)
  assert.deepEqual([slow!.gone, other!.gone], [0, 0])
  unfinished.hold(honest!, 11)
  assert.deepEqual([slow!.gone, other!.gone, honest!.gone], [1, 0, 0])
  unfinished.hold(honest!, 50)
  assert.deepEqual([slow!.gone, other!.gone, honest!.gone], [1, 0, 0], 'what was let go counts no more')
})

test('connections that leave frames of 1 MiB open are closed beyond 32 MiB, and the recorder goes on', { timeout: 120_000 }, async () => {
  const open = Array.from({ length: 48 }, dial)
  const frame = Buffer.concat([hello, length(2 << 20), Buffer.alloc(1 << 20, 0x20)]) // greeted: alone each may take 30 s
  for (const socket of open) socket.write(frame)
  const first = await Promise.race(open.map((socket) => closed(socket).then(() => socket)))
  assert.ok(first.destroyed || first.closed)
  await stillRecords()
  for (const socket of open) socket.destroy()
})

test('300 connections at once leave the recorder answering', async () => {
  const sockets = Array.from({ length: 300 }, dial)
  await stillRecords()
  for (const socket of sockets) socket.destroy()
  await stillRecords()
})

/** The event that a submit request with `item` brings, if it does. */
function taken(item: unknown) {
  const request = parseRequest({ kind: 'submit', id: 1, items: [item] }, 'p')
  return request?.kind === 'submit' ? request.items[0] : undefined
}

const good = { eventId: randomUUID(), eventType: 'tool_call_end', level: 'batch' }
const payloads: [string, unknown][] = [
  ['a reserved type', { ...good, eventType: 'log.open', json: '{"event_type":"log.open"}' }],
  ['a reserved type hidden by a duplicate member', { ...good, json: '{"event_type":"log.open","event_type":"tool_call_end"}' }],
  ['another type inside', { ...good, json: '{"event_type":"tool_call_error"}' }],
  ['no JSON', { ...good, json: '{"event_type":' }],
  ['an unknown level', { ...good, level: 'later', json: '{"event_type":"tool_call_end"}' }],
  ['no UUID', { ...good, eventId: '../../x', json: '{"event_type":"tool_call_end"}' }],
]
const erase = { kind: 'erase', subject: 'alice', basis: 'b', requestId: 'r', actor: 'a' }
const prune = { kind: 'prune', upTo: 1, policy: 'p', unanchored: true }
const operations: [string, unknown, boolean][] = [
  ['an erasure', erase, true],
  ['an erasure without a subject', { ...erase, subject: '' }, false],
  ['an erasure with a reason beyond 1,024 characters', { ...erase, basis: 'x'.repeat(1025) }, false],
  ['an erasure with a list of stores that never ends', { ...erase, confirmed: Array.from({ length: 65 }, () => 'index') }, false],
  ['a pruning', { ...prune, archivedTo: '/srv/old' }, true],
  ['a pruning into a path of its own folder', { ...prune, archivedTo: 'old' }, false],
  ['a pruning up to no number', { ...prune, upTo: -1 }, false],
  ['a packing', { kind: 'pack', form: 'zstd' }, true],
  ['a packing in an unknown form', { kind: 'pack', form: 'rar' }, false],
  ['a key rotation', { kind: 'rotateKey' }, false],
]
for (const [what, operation, taken] of operations) {
  test(`${what} is ${taken ? 'taken' : 'not taken'}`, () => {
    assert.equal(parseRequest({ kind: 'operate', id: 1, permit: 'f', operation }, 'p') !== undefined, taken)
  })
}

for (const [what, item] of payloads) {
  test(`an event with ${what} is not taken`, () => {
    assert.deepEqual(taken(item), undefined)
  })
}

test('a well-formed event is taken', () => {
  assert.equal(taken({ ...good, json: '{"event_type":"tool_call_end"}' })?.untrusted, true)
})

test('frames come out as they went in, however the stream is cut', () => {
  const bodies = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 })
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 40 })), (wanted, cuts) => {
      const bytes = Buffer.concat(wanted.map((body) => formatFrame(body)))
      const reader = createFrameReader()
      const found: FrameBody[] = []
      let at = 0
      for (const cut of [...cuts, bytes.length]) {
        found.push(...reader.push(bytes.subarray(at, at + cut)))
        at += cut
      }
      assert.equal(JSON.stringify(found), JSON.stringify(wanted))
      assert.equal(reader.heldBytes(), 0)
    }),
    { seed, numRuns: 200 },
  )
})

test('any JSON as a request is taken or refused, never an exception', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('kind', 'id', 'items', 'step'), fc.jsonValue()), (body) => {
      parseRequest({ kind: 'submit', id: 1, ...body }, 'p')
      parseRequest({ kind: 'operate', id: 1, permit: 'f', operation: body }, 'p')
    }),
    { seed, numRuns: 300 },
  )
})
