/** What the routes measure of themselves: durations, the policy in force, sessions that live. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createLive } from '../src/http/live.ts'
import { identityPolicy, START_MS } from './support/identity.ts'
import { runs } from './support/make.ts'
import { ADMIN, CALL, createPolicyServer, GUARDED } from './support/policy-server.ts'

type Samples = readonly { name: string; labels: Record<string, string>; value: number; suffix?: string }[]

function createMeasured() {
  let clock = 0
  let seen: Samples = []
  const metrics = (samples: Samples) => {
    seen = samples
    return ''
  }
  const server = createPolicyServer(GUARDED, { metrics, clock: () => (clock += 3) })
  const read = async (name: string) => {
    await server.get('/metrics', ADMIN.token)
    return seen.filter((one) => one.name === name)
  }
  return { server, read }
}

describe('metrics of the routes', () => {
  test('tell how long each validation took, and of nothing else', async () => {
    const { server, read } = createMeasured()
    const session = await server.session()
    for (let n = 0; n < 2; n++) await server.validate(CALL, (await session.token({ fresh: true })).text)
    await server.get('/health')
    const series = await read('aip_request_duration_seconds')
    const of = (suffix: string, le?: string) => series.find((one) => one.suffix === suffix && one.labels.le === le)?.value
    assert.deepEqual(
      [of('_count'), of('_sum'), of('_bucket', '0.0025'), of('_bucket', '0.005'), of('_bucket', '+Inf')],
      [2, 0.006, 0, 2, 2],
    )
  })

  test('tell the policy in force, also after a reload', async () => {
    const { server, read } = createMeasured()
    const hashes = async () => (await read('aip_policy_hash')).map(({ labels, value }) => [labels.hash, value])
    const [[before] = []] = await hashes()
    assert.match(String(before), /^sha256:[0-9a-f]{64}$/)
    const next = identityPolicy(GUARDED.replace('read_file', 'write_file'))
    server.follow(next)
    assert.deepEqual(await hashes(), [[next.hash, 1]])
  })

  test('count a session from its first token that counts to the end of its newest, or its revocation', async () => {
    const { server, read } = createMeasured()
    const active = async () => (await read('aip_active_sessions'))[0]?.value
    const [one, other] = [await server.session(), await server.session()]
    assert.equal(await active(), 0)
    const { text } = await one.token()
    await server.validate(CALL, text)
    await server.validate(CALL, text) // presented before: it does not count
    await server.validate(CALL, (await other.token()).text)
    assert.equal(await active(), 2)
    await server.revoke({ type: 'session', session_id: other.id }, ADMIN.token)
    assert.equal(await active(), 1)
    server.machine.nowMs += 300_000
    assert.equal(await active(), 0)
  })

  test('forget the session that was seen longest ago beyond 10,000', () => {
    const live = createLive()
    const saw = (n: number) => live.saw({ id: 'i', agentId: 'a', sessionId: `s-${n}`, expiresAt: new Date(START_MS + 1000).toISOString() })
    for (let n = 0; n <= 10_000; n++) saw(n)
    assert.equal(live.samples(undefined, START_MS)[0]?.value, 10_000)
    live.ended('s-0')
    assert.equal(live.samples(undefined, START_MS)[0]?.value, 10_000, 'it was forgotten before')
  })

  test('have buckets that grow, and a sum and a count of all', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 10_000, noNaN: true })), (times) => {
        const live = createLive()
        for (const ms of times) live.took(ms)
        const series = live.samples(undefined, 0).filter(({ type }) => type === 'histogram')
        for (const { labels, value, suffix } of series) {
          const le = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le)
          if (suffix === '_bucket') assert.equal(value, times.filter((ms) => ms <= le * 1000).length)
          if (suffix === '_count') assert.equal(value, times.length)
        }
      }),
      runs,
    )
  })
})
