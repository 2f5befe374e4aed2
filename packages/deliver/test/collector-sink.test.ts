/** The collector sink by the contract of all sinks, over TLS, and to a collector that names whose ledgers it takes. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import { parseVkey, SwornError } from '@sworn/verify'
import {
  append,
  type Fault,
  finish,
  linesOf,
  makePlace,
  openAt,
  type Peer,
  type Place,
  planOf,
  sinkContract,
  start,
  until,
} from '../../../testkit/src/sink-contract.ts'
import { later } from '../../../testkit/src/suite.ts'
import { createCollector, fileStore, openCosigner, readSinkStatus } from '../src/index.ts'
import { collectorSink } from '../src/sinks/collector.ts'
import { certificate } from './support/certificate.ts'

const TOKEN = 'the-token-of-the-producer'

interface Collector {
  readonly url: string
  /** Of requests, as they came. */
  readonly tokens: (string | undefined)[]
  fail(fault: Fault, times: number): void
  /** The lines of its mirrors. */
  held(): readonly string[]
  close(): void
}

/** @param tls with which it listens; absent: without */
async function openCollector({ tls, keys }: { tls?: ReturnType<typeof certificate>; keys?: readonly string[] } = {}): Promise<Collector> {
  const directory = mkdtempSync(join(tmpdir(), 'sworn-collector-'))
  const mirrors = join(directory, 'mirrors')
  const tokens: (string | undefined)[] = []
  const armed: { fault: Fault; left: number } = { fault: 'down', left: 0 }
  const route = createCollector({
    storeOf: (logId) => fileStore(join(mirrors, logId)),
    cosigner: openCosigner(join(directory, 'state')),
    tokens: [{ token: TOKEN, name: 'one' }],
    now: Date.now,
    record: async (event) => assert.fail(JSON.stringify(event.metadata)),
    keys,
  })
  const listener: RequestListener = (request, response) => {
    tokens.push(request.headers.authorization)
    const fault = armed.left-- > 0 ? armed.fault : undefined
    if (fault === 'down') return void request.socket.destroy()
    if (fault === 'error') return void response.writeHead(503, { 'retry-after': '0' }).end('the body of an error')
    if (fault === 'lying') return void response.end('{"size":0}')
    void getRequestListener(async (asked) => {
      const answer = (await route(asked)) ?? new Response(null, { status: 404 })
      if (fault === 'lost answer') request.socket.destroy()
      return answer
    })(request, response)
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens,
    fail: (fault, left) => void Object.assign(armed, { fault, left }),
    held: () => (existsSync(mirrors) ? readdirSync(mirrors).flatMap((logId) => linesOf(join(mirrors, logId))) : []),
    close() {
      server.closeAllConnections()
      server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const sinkTo = (url: string, { path }: Place, ca?: string) =>
  collectorSink({ url, token: TOKEN, ledgerPath: path, name: 'test', now: Date.now, ca })

/** Why delivery does not go on; undefined: everything arrived. */
async function troubleOf(place: Place, sink: ReturnType<typeof sinkTo>): Promise<string | undefined> {
  const ledger = openAt(place)
  append(ledger, 0, 3)
  ledger.close()
  const delivery = start(place.path, ledger.info.origin, [planOf({ open: sink, shape: { records: 'all' } })])
  const status = async () => (await readSinkStatus(place.path, Date.now()))[0]
  await until(async () => (await status())?.trouble !== undefined || (await status())?.behind === 0)
  await delivery.close()
  return (await status())?.trouble?.reason
}

sinkContract(
  'collector',
  async (place): Promise<Peer> => {
    const collector = await openCollector()
    return {
      ...collector,
      open: sinkTo(collector.url, place),
      shape: { records: 'all' },
      faults: ['down', 'error', 'lying', 'lost answer'],
      held: () => collector.held().map((line) => JSON.parse(line).seq),
      drops: true,
    }
  },
  later,
)

test('over TLS the mirror is the ledger; a collector whose certificate does not hold gets neither token nor line', async (t) => {
  const tls = certificate()
  const collector = await openCollector({ tls })
  t.after(collector.close)
  const place = makePlace()
  assert.match((await troubleOf(place, sinkTo(collector.url, place))) ?? '', /CERT/)
  assert.deepEqual([collector.tokens, collector.held()], [[], []])
  const ledger = openAt(place)
  ledger.close()
  const plan = planOf({ open: sinkTo(collector.url, place, tls.cert), shape: { records: 'all' } })
  await finish(start(place.path, ledger.info.origin, [plan]))
  assert.deepEqual(collector.held(), linesOf(place.path))
})

test('a collector that names keys takes ledgers that begin with them, and nothing of any other', async (t) => {
  const [known, stranger] = [makePlace(), makePlace()]
  openAt(known).close()
  const { vkey } = JSON.parse(linesOf(known.path)[0]!)
  const collector = await openCollector({ keys: [parseVkey(vkey).vkey] })
  t.after(collector.close)
  assert.equal(await troubleOf(stranger, sinkTo(collector.url, stranger)), 'the collector refuses a line (NOTE_UNVERIFIED)')
  assert.deepEqual(collector.held(), [])
  assert.equal(await troubleOf(known, sinkTo(collector.url, known)), undefined)
  assert.deepEqual(collector.held(), linesOf(known.path))
})

test('a mirror that was begun when any key was believed is held to the keys that are named now', async (t) => {
  const [place, other] = [makePlace(), makePlace()]
  for (const one of [place, other]) openAt(one).close()
  const directory = mkdtempSync(join(tmpdir(), 'sworn-collector-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const { log_id: logId, vkey } = JSON.parse(linesOf(place.path)[0]!)
  const send = async (keys: readonly string[], part = '') => {
    const route = createCollector({
      storeOf: (id) => fileStore(join(directory, 'mirrors', id)),
      cosigner: openCosigner(join(directory, 'state')),
      tokens: [{ token: TOKEN, name: 'one' }],
      now: Date.now,
      record: async () => {},
      keys,
    })
    const init =
      part === ''
        ? {}
        : {
            method: 'POST',
            body: linesOf(place.path)
              .map((line) => `${line}\n`)
              .join(''),
          }
    return (await route(new Request(`http://c/v1/mirrors/${logId}${part}`, { ...init, headers: { authorization: `Bearer ${TOKEN}` } })))!
      .status
  }
  const strange: string = JSON.parse(linesOf(other.path)[0]!).vkey
  assert.deepEqual([await send([], '/lines'), await send([vkey]), await send([strange, vkey], '/lines')], [200, 200, 200])
  assert.deepEqual([await send([strange]), await send([strange], '/lines')], [422, 422])
  assert.throws(
    () => createCollector({ ...({} as Parameters<typeof createCollector>[0]), keys: ['no key'] }),
    (e) => SwornError.is(e, 'KEY_INVALID'),
  )
})
