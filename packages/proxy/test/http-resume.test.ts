/** A server over stdio for clients over HTTP that lose their connection: in a session they come back and have lost nothing. @module */
import assert from 'node:assert/strict'
import * as http from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { after, describe, it, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { openStdioServer } from '../src/http/index.ts'
import { createKeptEvents } from '../src/http/kept-events.ts'
import { ask, JSON_HEADERS, listen } from './support/http-wire.ts'
import { createMemoryRecorder } from './support/memory-recorder.ts'
import { openClient1, openClient2 } from './support/peers.ts'
import { askingGate, createPeople } from './support/people.ts'
import { call } from './support/wire.ts'

const SERVER = fileURLToPath(new URL('./support/held-server.ts', import.meta.url))
const VERSION = { 'mcp-protocol-version': '2025-11-25' }

async function openWire(hosts: readonly string[] = [], rest: Partial<Parameters<typeof openStdioServer>[0]> = {}) {
  const recorder = createMemoryRecorder()
  const own = { recorder, stderr: new PassThrough().resume(), listen: { host: '127.0.0.1', port: 0 }, access: { hosts } }
  const proxy = await openStdioServer({ command: process.execPath, args: [SERVER], ...own, ...rest })
  after(() => proxy.close())
  const post = (message: object, headers: http.OutgoingHttpHeaders = {}) =>
    ask(proxy.url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify({ jsonrpc: '2.0', ...message }) })
  const hello = { id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: { elicitation: {} } } }
  const openSession = async () => ({ ...VERSION, 'mcp-session-id': String((await post(hello)).headers['mcp-session-id']) })
  return { recorder, proxy, post, openSession, session: await openSession() }
}

/** A stream that a test reads event by event, and breaks off. */
function openStream(url: string, method: 'GET' | 'POST', headers: http.OutgoingHttpHeaders, body?: object) {
  let text = ''
  let status = 0
  let wake = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  const turn = () => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const request = http.request(url, { method, headers: { ...JSON_HEADERS, ...headers }, agent: false }, (answer) => {
    status = answer.statusCode ?? 0
    turn()
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      turn()
    })
    answer.on('error', () => {}).on('close', () => over.resolve())
  })
  request.on('error', () => over.resolve())
  request.end(body && JSON.stringify({ jsonrpc: '2.0', ...body }))
  const events = () => text.split('\n\n').slice(0, -1)
  return {
    over: over.promise,
    text: () => text,
    status: () => status,
    ids: () => events().map((event) => /^id: (\S+)$/m.exec(event)?.[1] ?? ''),
    data: () => events().flatMap((event) => (/^data: (.+)$/m.exec(event)?.[1] ? [JSON.parse(/^data: (.+)$/m.exec(event)![1]!)] : [])),
    async until(test: () => boolean) {
      while (!test()) await wake.promise
    },
    break: () => request.destroy(),
  }
}

const said = (data: string) => ({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } })
const done = (id: number) => ({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'done' }] } })

describe('a call whose connection breaks, in a session', () => {
  for (const when of ['after', 'before'] as const)
    it(`is heard to its end by a client that comes back ${when} the answer, each event once, with one outcome on record`, async () => {
      const { proxy, post, session, recorder } = await openWire()
      const first = openStream(proxy.url, 'POST', session, call(1, 'loud'))
      await first.until(() => first.data().length === 1)
      first.break()
      await first.over
      const resume = { ...session, 'last-event-id': first.ids().at(-1) }
      if (when === 'after') await post({ method: 'notifications/go' }, session)
      const second = openStream(proxy.url, 'GET', resume)
      if (when === 'before') {
        await second.until(() => second.status() === 200)
        await post({ method: 'notifications/go' }, session)
      }
      await second.over
      assert.deepEqual(second.data(), [said('going'), done(1)])
      assert.equal(new Set([...first.ids(), ...second.ids()]).size, first.ids().length + second.ids().length)
      await proxy.close()
      assert.deepEqual([recorder.ofType('tool_call_end').length, recorder.ofType('tool_call_error').length], [1, 0])
    })

  it('is heard although nothing was said before: the stream begins with an id when an answer takes a moment', async () => {
    const { proxy, post, session } = await openWire()
    const first = openStream(proxy.url, 'POST', session, call(1, 'quiet'))
    await first.until(() => first.ids().length === 1)
    assert.deepEqual(first.data(), [])
    first.break()
    await first.over
    await post({ method: 'notifications/go' }, session)
    const second = openStream(proxy.url, 'GET', { ...session, 'last-event-id': first.ids()[0] })
    await second.over
    assert.deepEqual(second.data().at(-1), done(1))
  })

  it('can be followed by one reader only: the newest', async () => {
    const { proxy, post, session } = await openWire()
    const first = openStream(proxy.url, 'POST', session, call(1, 'loud'))
    await first.until(() => first.data().length === 1)
    const second = openStream(proxy.url, 'GET', { ...session, 'last-event-id': first.ids()[0] })
    await first.over
    await post({ method: 'notifications/go' }, session)
    await second.over
    assert.deepEqual(second.data().at(-1), done(1))
    assert.doesNotMatch(first.text(), /done/)
  })

  it('cannot be had from another session, by an id that nobody gave, or twice from its end', async () => {
    const { proxy, session, openSession } = await openWire()
    const first = openStream(proxy.url, 'POST', session, call(1, 'loud'))
    await first.until(() => first.data().length === 1)
    const get = (headers: object) => ask(proxy.url, { method: 'GET', headers: { accept: 'text/event-stream', ...headers } })
    for (const id of ['1-99', '99-1', 'nonsense', '1', '-1', '1-1; x']) {
      const answer = await get({ ...session, 'last-event-id': id })
      assert.deepEqual([answer.status, JSON.parse(answer.body).error.data.reason], [400, 'event_gone'], id)
    }
    const other = await get({ ...(await openSession()), 'last-event-id': first.ids()[0] })
    assert.equal(other.status, 400)
    first.break()
  })
})

it('a client that loses its connection while it is asked comes back, answers, and has its call', async () => {
  const people = createPeople({ withHand: false })
  const { proxy, post, session, recorder } = await openWire([], { gate: askingGate(['loud']), approvals: people.approvals })
  const first = openStream(proxy.url, 'POST', session, call(1, 'loud'))
  await first.until(() => first.data().length === 1)
  const { id, method } = first.data()[0]
  assert.equal(method, 'elicitation/create')
  first.break()
  await first.over
  const second = openStream(proxy.url, 'GET', { ...session, 'last-event-id': first.ids().at(-1) })
  await post({ id, result: { action: 'accept', content: { decision: 'approve' } } }, session)
  await second.until(() => second.data().length === 1) // the call went out, and has begun
  await post({ method: 'notifications/go' }, session)
  await second.over
  assert.deepEqual(second.data(), [said('begun'), said('going'), done(1)])
  assert.equal(recorder.ofType('authorization_decision')[0]?.reason_code, 'human_approved')
})

it('what the server says while nobody listens is heard by whoever listens next, with or without the last id', async () => {
  const { proxy, post, session } = await openWire()
  const tell = (data: string) => post({ method: 'notifications/tell', params: { data } }, session)
  await tell('early')
  const first = openStream(proxy.url, 'GET', session)
  await first.until(() => first.data().length === 1)
  first.break()
  await first.over
  await tell('meanwhile')
  const second = openStream(proxy.url, 'GET', { ...session, 'last-event-id': first.ids()[0] })
  await second.until(() => second.data().length === 1)
  second.break()
  await second.over
  await tell('later')
  const third = openStream(proxy.url, 'GET', session)
  await third.until(() => third.data().length === 1)
  assert.deepEqual(
    [...first.data(), ...second.data(), ...third.data()].map(({ params }) => params.data),
    ['early', 'meanwhile', 'later'],
  )
  assert.equal((await ask(proxy.url, { method: 'GET', headers: { accept: 'text/event-stream', ...session } })).status, 409)
  third.break()
})

it('a call of the stateless era has no way back: its events have no ids, and a connection that ends cancels it', async () => {
  const { proxy, recorder } = await openWire()
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
  const slow = openStream(proxy.url, 'POST', {}, { id: 1, method: 'tools/call', params: { name: 'loud', arguments: {}, _meta } })
  await slow.until(() => slow.data().length === 1)
  assert.deepEqual(slow.ids(), [''])
  slow.break()
  while (recorder.ofType('tool_call_error').length === 0) await new Promise(setImmediate)
  assert.equal(recorder.ofType('tool_call_error')[0]?.error_type, 'cancelled')
})

for (const [sdk, open] of [
  ['1.x', openClient1],
  ['2.x', openClient2],
] as const)
  it(`the real client of SDK ${sdk} loses its connection during a call and has its answer all the same`, { timeout: 120_000 }, async () => {
    const drops: string[] = []
    let session = ''
    const lossy = createServer((client: Socket) => {
      const server = connect(Number(new URL(proxy.url).port), '127.0.0.1')
      client.on('error', () => {}).on('close', () => server.destroy())
      server.on('error', () => {}).on('close', () => client.destroy())
      client.on('data', (chunk) => {
        session = /mcp-session-id: (\S+)/i.exec(String(chunk))?.[1] ?? session
        server.write(chunk)
      })
      server.on('data', (chunk) => {
        client.write(chunk, () => {
          if (drops.length > 0 || !String(chunk).includes('begun')) return
          drops.push(session)
          client.destroy()
          void post({ method: 'notifications/go' }, { ...VERSION, 'mcp-session-id': session })
        })
      })
    })
    after(() => lossy.close())
    const host = `127.0.0.1:${await listen(lossy)}`
    const { proxy, post } = await openWire([host])
    const peer = await open(new URL(`http://${host}/mcp`))
    const result = await peer.callTool({ name: 'loud', arguments: {} })
    assert.match(JSON.stringify(result), /done/)
    assert.equal(drops.length, 1)
    await peer.close()
  })

test('what is kept: exactly what came after an event, or nothing when some of it is gone; never more than the bound', () => {
  const step = fc.record({ stream: fc.nat(2), size: fc.nat(60), ends: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const maxBytes = 400
      const kept = createKeptEvents(maxBytes)
      const streams = [0, 1, 2].map(() => ({ name: kept.open(), events: [] as { id: string; bytes: Buffer }[], isOver: false }))
      for (const { stream, size, ends } of steps) {
        const of = streams[stream]!
        if (of.isOver) continue
        const bytes = kept.add(of.name, Buffer.from('x'.repeat(size)))
        of.events.push({ id: kept.newest(of.name), bytes })
        if (ends) kept.end(of.name)
        of.isOver = ends
      }
      let held = 0
      for (const { name, events } of streams)
        for (const [n, { id, bytes }] of events.entries()) {
          const found = kept.after(id)
          if (found) assert.deepEqual(found, { stream: name, events: events.slice(n + 1).map((event) => event.bytes) })
          if (n > 0 && kept.after(events[n - 1]!.id)) held += bytes.length
        }
      assert.ok(held <= maxBytes)
    }),
  )
})
