/** A server over HTTP for a client over stdio: streams that break off, in both eras, and the fields that calls have to carry. @module */
import assert from 'node:assert/strict'
import * as http from 'node:http'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { openRemoteServer } from '../src/http/remote-server.ts'
import { openModern } from './support/http-servers.ts'
import { type Handler, listen, type Seen } from './support/http-wire.ts'

const VERSION = 'io.modelcontextprotocol/protocolVersion'
const INFO = { 'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} }
const modern = (id: number, method: string, params: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method,
  params: { ...params, _meta: { [VERSION]: '2026-07-28', ...INFO } },
})
const hello = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } }
const ready = { jsonrpc: '2.0', method: 'notifications/initialized' }
const ping = (id: number) => ({ jsonrpc: '2.0', id, method: 'ping' })

/** The remote server as a client over stdio has it: messages in, the next line out. */
function openClient(url: URL) {
  const warned: string[] = []
  const server = openRemoteServer({ url, warn: (line) => warned.push(line) })
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]()
  after(() => server.kill('SIGTERM')) // also where a test failed before its end
  return {
    warned,
    send: (message: object) => void server.stdin.write(`${JSON.stringify(message)}\n`),
    next: async () => JSON.parse((await lines.next()).value ?? 'null'),
    async close() {
      server.stdin.end()
      await server.ended
    },
  }
}

/** An upstream whose behaviour is the test's. */
async function openScripted(handler: Handler) {
  const seen: Seen[] = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const one = { method: request.method!, path: request.url!, headers: request.headers, body }
      seen.push(one)
      handler(one, response)
    })
  })
  const url = new URL(`http://127.0.0.1:${await listen(server)}/mcp`)
  after(() => server.close().closeAllConnections())
  return { url, seen }
}

const stream = (response: http.ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })
const answer = (id: unknown, result: object) => JSON.stringify({ jsonrpc: '2.0', id, result })

/** Answers `initialize` as a server of the 2025 era; everything else is `rest`'s. */
const greeted =
  (rest: Handler): Handler =>
  (seen, response) => {
    const { id, method } = JSON.parse(seen.body || '{}')
    if (method !== 'initialize') return rest(seen, response)
    const headers = { 'content-type': 'application/json', 'mcp-session-id': 's' }
    response.writeHead(200, headers).end(answer(id, { protocolVersion: '2025-11-25', capabilities: {} }))
  }

test('2025 era: a stream that breaks off again and again is followed from its last event until the answer is there', async () => {
  let drops = 0
  const upstream = await openScripted(
    greeted(({ method, body, headers }, response) => {
      if (body.includes('initialized')) return void response.writeHead(202).end()
      if (method === 'GET' && headers['last-event-id'] === undefined) return void response.writeHead(405).end()
      if (method === 'POST') return void stream(response).write('id: e0\nretry: 10\ndata: \n\n', () => response.destroy())
      drops++
      const progress = `id: e${drops}\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":${drops}}}\n\n`
      if (drops < 8) return void stream(response).write(progress, () => response.destroy())
      stream(response).end(`id: e8\ndata: ${answer(1, { done: true })}\n\n`)
    }),
  )
  const client = openClient(upstream.url)
  client.send(hello)
  await client.next()
  client.send(ready)
  client.send(ping(1))
  const heard = []
  do heard.push(await client.next())
  while (heard.at(-1).id !== 1)
  assert.deepEqual(
    heard.map(({ params, result }) => params?.progress ?? result),
    [1, 2, 3, 4, 5, 6, 7, { done: true }],
  )
  const resumed = upstream.seen.flatMap(({ headers }) => headers['last-event-id'] ?? [])
  assert.deepEqual(resumed, ['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7'])
  assert.ok(
    upstream.seen.slice(1).every(({ headers }) => headers['mcp-session-id'] === 's' && headers['mcp-protocol-version'] === '2025-11-25'),
  )
  await client.close()
  assert.equal(upstream.seen.at(-1)?.method, 'DELETE')
})

test('2025 era: a stream that cannot be had again is an error that says so, and so is one without ids', async () => {
  const upstream = await openScripted(
    greeted(({ method, body }, response) => {
      if (method === 'GET') return void response.writeHead(404).end()
      stream(response).write(body.includes('"id":1') ? 'id: e0\nretry: 10\ndata: \n\n' : ': no id\n\n', () => response.destroy())
    }),
  )
  const client = openClient(upstream.url)
  client.send(hello)
  await client.next()
  for (const id of [1, 2]) {
    client.send(ping(id))
    assert.partialDeepStrictEqual(await client.next(), { id, error: { code: -32000, data: { reason: 'broken' } } })
  }
  await client.close()
})

test('2025 era: the stream of what the server has to say is opened again where it ended', async () => {
  let opened = 0
  const upstream = await openScripted(
    greeted(({ method }, response) => {
      if (method !== 'GET') return void response.writeHead(202).end()
      opened++
      if (opened > 9) return void stream(response).write(`id: n9\ndata: {"jsonrpc":"2.0","method":"notifications/last"}\n\n`)
      stream(response).end(opened === 1 ? 'id: n0\nretry: 10\ndata: \n\n' : ': nothing to say\n\n')
    }),
  )
  const client = openClient(upstream.url)
  client.send(hello)
  await client.next()
  client.send(ready)
  assert.equal((await client.next()).method, 'notifications/last')
  const gets = upstream.seen.filter(({ method }) => method === 'GET').map(({ headers }) => headers['last-event-id'])
  assert.deepEqual(gets, [undefined, ...Array.from({ length: 9 }, () => 'n0')])
  await client.close()
})

test('2026 era: a stream that breaks off is an error at once; nothing is taken up again, whatever ids it had', async () => {
  const upstream = await openScripted((_seen, response) => void stream(response).write('id: e0\ndata: \n\n', () => response.destroy()))
  const client = openClient(upstream.url)
  client.send(modern(1, 'tools/list'))
  assert.partialDeepStrictEqual(await client.next(), { id: 1, error: { data: { reason: 'broken' } } })
  await client.close()
  assert.deepEqual(
    upstream.seen.map(({ method }) => method),
    ['POST'],
  )
})

/** A server of SDK 2.x that checks the fields of its calls. */
function createMarked(): McpServer {
  const server = new McpServer({ name: 'marked', version: '1' }, { capabilities: { tools: {} } })
  const inputSchema = z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }), rows: z.int().optional() })
  server.registerTool('sql', { inputSchema }, async ({ region }) => ({ content: [{ type: 'text', text: region }] }))
  return server
}

for (const [what, lists] of [
  ['after a list', true],
  ['without one: the list is asked for, and the call sent once more', false],
] as const)
  test(`2026 era: a call carries the fields that the tool's schema asks for, ${what}`, async () => {
    const bodies: string[] = []
    const upstream = await openModern(bodies, createMcpHandler(createMarked))
    after(upstream.close)
    const client = openClient(upstream.url)
    if (lists) {
      client.send(modern(1, 'tools/list'))
      assert.equal((await client.next()).result.tools[0].name, 'sql')
    }
    for (const [id, region] of ['eu', 'Zürich\n', ' x '].entries()) {
      client.send(modern(id + 2, 'tools/call', { name: 'sql', arguments: { region } }))
      assert.partialDeepStrictEqual(await client.next(), { id: id + 2, result: { content: [{ text: region }] } })
    }
    assert.equal(bodies.length, lists ? 4 : 5)
    await client.close()
  })

test('2026 era: a tool whose marks are wrong is left out of the list, and said; numbers of the others keep their digits', async () => {
  const good = '{"name":"good","inputSchema":{"type":"object","properties":{"n":{"maximum":1.0}}}}'
  const bad = '{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"number","x-mcp-header":"A"}}}}'
  const list = (id: number) => `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","tools":[${bad},${good}]}}`
  const upstream = await openScripted(
    ({ body }, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(list(JSON.parse(body).id)),
  )
  const client = openClient(upstream.url)
  client.send(modern(1, 'tools/list'))
  assert.deepEqual(
    (await client.next()).result.tools.map(({ name }: { name: string }) => name),
    ['good'],
  )
  assert.deepEqual(client.warned.length, 1)
  assert.match(client.warned[0]!, /neither string, integer nor boolean/)
  client.send({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
  assert.equal((await client.next()).result.tools.length, 2) // the 2025 era knows no marks
  await client.close()
})
