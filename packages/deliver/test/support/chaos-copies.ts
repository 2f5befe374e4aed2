/** Sinks whose other side holds the ledger byte for byte, under chaos. @module */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { createCollector, fileStore, openCosigner } from '../../src/index.ts'
import { CREDENTIALS, openS3Peer, REGION } from './aws-peer.ts'
import { digestOf, type MakeSubject, pick, segmentsOf } from './chaos.ts'

const FAULTS = ['down', 'error', 'lying', 'lost answer'] as const

/** Objects, which together are the ledger; of closed segments, each is one. */
const bucket =
  (objects: 'batches' | 'segments'): MakeSubject =>
  async (random, place) => {
    let isStrict = true
    const peer = await openS3Peer(() => {
      if (isStrict && random() < 0.4) peer.fail(pick(random, FAULTS), 1) // what comes next
      return undefined
    })
    return {
      config: {
        ...{ type: 's3', name: objects, objects, endpoint: peer.url, region: REGION, bucket: 'audit' },
        ...{ access_key_id: CREDENTIALS.accessKeyId, secret_access_key: CREDENTIALS.secretAccessKey },
      },
      behave() {
        isStrict = false
      },
      async check() {
        const segments = [...peer.objects].filter(([key]) => key.includes('/segments/')).toSorted(([a], [b]) => (a < b ? -1 : 1))
        const files = segmentsOf(place.path).slice(0, objects === 'segments' ? -1 : undefined)
        assert.ok(segments.length > 0)
        const digest = createHash('sha256')
        for (const [, { body }] of segments) digest.update(body)
        assert.equal(digest.digest('hex'), await digestOf(files), 'the objects are not the ledger')
        if (objects === 'segments')
          assert.deepEqual(
            segments.map(([key]) => basename(key)),
            files.map((path) => basename(path)),
          )
      },
      close: peer.close,
    }
  }
export const s3 = bucket('batches')
export const s3Segments = bucket('segments')

/** Before a request is heard, or after it was taken. */
export const collector: MakeSubject = async (random, place) => {
  const token = 'the-token-of-the-producer'
  const directory = join(place.path, '..', 'collector')
  const accused: unknown[] = []
  const route = createCollector({
    storeOf: (logId) => fileStore(join(directory, 'mirrors', logId)),
    cosigner: openCosigner(join(directory, 'state')),
    tokens: [{ token, name: 'one' }],
    now: Date.now,
    record: async (event) => void accused.push(event),
  })
  let isStrict = true
  let logId = ''
  const server = createServer((request, response) => {
    logId = /mirrors\/([^/]+)/.exec(request.url ?? '')?.[1] ?? logId
    const fault = isStrict && random() < 0.3 ? pick(random, FAULTS) : 'none'
    if (fault === 'down') return void request.socket.destroy()
    if (fault === 'error') return void response.writeHead(503, { 'retry-after': '0' }).end()
    if (fault === 'lying') return void response.end('{}')
    void getRequestListener(async (asked) => {
      const answer = (await route(asked)) ?? new Response(null, { status: 404 })
      if (fault === 'lost answer') request.socket.destroy()
      return answer
    })(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    config: { type: 'collector', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token },
    behave() {
      isStrict = false
    },
    async check() {
      const mirror = join(directory, 'mirrors', logId)
      assert.equal(await digestOf(segmentsOf(mirror)), await digestOf(segmentsOf(place.path)), 'the mirror is not the ledger')
      assert.deepEqual(accused, [])
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
