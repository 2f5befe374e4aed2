/** Collectors that share their mirrors in a real PostgreSQL on 127.0.0.1:5432; said loudly where none runs. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { append, linesOf, makePlace, openAt } from '../../../testkit/src/sink-contract.ts'
import { count } from '../../../testkit/src/suite.ts'
import { type CollectorRoute, createCollector, openCosigner, openPostgresMirrors } from '../src/index.ts'
import { DSN, skippedWithout, withClient } from './support/postgres.ts'

const TOKEN = 'the-token-of-the-first-producer'
const skip = await skippedWithout('mirrors in PostgreSQL were')

/** Two collectors on the same tables. */
async function twoCollectors(t: TestContext) {
  const table = `sworn_test_${randomBytes(6).toString('hex')}`
  const cosigner = openCosigner(join(mkdtempSync(join(tmpdir(), 'sworn-collector-')), 'state'))
  const mirrors = await Promise.all([1, 2].map(() => openPostgresMirrors({ connection: DSN, table })))
  const events: string[] = []
  const routes = mirrors.map(({ storeOf }) =>
    createCollector({
      ...{ storeOf, cosigner, now: () => 1_795_000_000_000, tokens: [{ token: TOKEN, name: 'one' }] },
      record: async ({ metadata }) => void events.push(String((metadata as { rule?: string }).rule)),
    }),
  )
  t.after(async () => {
    await Promise.all(mirrors.map(({ close }) => close()))
    const names = ['', '_head', '_meta', '_checkpoint', '_state'].map((suffix) => `${table}${suffix}`)
    await withClient((client) => client.query(`DROP TABLE IF EXISTS ${names.join(', ')} CASCADE`))
  })
  const held = (logId: string) =>
    withClient((client) => client.query(`SELECT line FROM ${table} WHERE origin = $1 ORDER BY seq`, [logId])).then(({ rows }) =>
      rows.map(({ line }) => line),
    )
  return { routes, events, held, table }
}

async function send(
  route: CollectorRoute,
  logId: string,
  part: string,
  body?: string,
): Promise<{ status: number; code: string; message: string; size: number }> {
  const init = body === undefined ? {} : { method: 'POST', body }
  const request = new Request(`http://c/v1/mirrors/${logId}/${part}`.replace(/\/$/, ''), {
    ...init,
    headers: { authorization: `Bearer ${TOKEN}` },
  })
  const response = await route(request)
  const answer = (await response!.json()) as { error?: { code: string; message: string }; size?: number }
  return { status: response!.status, code: answer.error?.code ?? '', message: answer.error?.message ?? '', size: answer.size ?? 0 }
}

const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')

function ledgerOf(n: number) {
  const place = makePlace()
  const ledger = openAt(place, { rotateBytes: 4_000 })
  append(ledger, 0, n)
  ledger.close()
  return { place, logId: ledger.info.logId, lines: linesOf(place.path) }
}

test('whatever comes to which of two collectors, also at one moment: the mirror is the ledger, each line once', { skip }, async (t) => {
  const { routes, events, held } = await twoCollectors(t)
  const piece = (last: number) =>
    fc.record({ from: fc.nat(last), length: fc.integer({ min: 1, max: 15 }), to: fc.subarray([0, 1], { minLength: 1 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(piece(24), { maxLength: 8 }), async (pieces) => {
      const { logId, lines } = ledgerOf(20)
      for (const { from, length, to } of pieces) {
        const body = textOf(lines.slice(from, from + length))
        for (const { status, code } of await Promise.all(to.map((n) => send(routes[n]!, logId, 'lines', body))))
          assert.ok(
            status === 200 || (status === 409 && code === 'MIRROR_GAP') || (status === 503 && code === 'SERVER_BUSY'),
            `${status} ${code}`,
          )
      }
      const { size } = await send(routes[0]!, logId, '')
      const last = await send(routes[1]!, logId, 'lines', textOf(lines.slice(size)))
      assert.equal(last.status, 200, last.message)
      assert.deepEqual(await held(logId), lines)
    }),
    { numRuns: count({ fast: 8, ci: 25, full: 100 }) },
  )
  assert.deepEqual(events, [])
})

test('a fork is refused by either, and so is a checkpoint that is older than what the other has seen', { skip }, async (t) => {
  const { routes, events, held } = await twoCollectors(t)
  const { place, logId, lines } = ledgerOf(6)
  const [one, other] = [routes[0]!, routes[1]!]
  assert.equal((await send(one, logId, 'lines', textOf(lines))).status, 200)
  const forged = lines[3]!.replace('"timestamp":"2', '"timestamp":"3')
  assert.equal((await send(other, logId, 'lines', textOf([forged]))).code, 'LINE_MALFORMED')
  const older = JSON.parse(lines.findLast((line) => line.includes('"event_type":"log.checkpoint"'))!).checkpoint
  const again = openAt(place)
  append(again, 6, 3)
  again.close()
  assert.equal((await send(one, logId, 'lines', textOf(linesOf(place.path)))).status, 200)
  assert.equal((await send(other, logId, 'checkpoint', older)).code, 'MIRROR_ROLLBACK')
  const strange = ledgerOf(6)
  assert.equal((await send(other, logId, 'lines', textOf(strange.lines))).code, 'MIRROR_FORK')
  assert.deepEqual(await held(logId), linesOf(place.path))
  assert.deepEqual(events.toSorted(), ['mirror_fork', 'mirror_rollback'])
})

test('a root is of the rows as they are, and a row that was taken away is said', { skip }, async (t) => {
  const { routes, table } = await twoCollectors(t)
  const { logId, lines } = ledgerOf(10)
  await send(routes[0]!, logId, 'lines', textOf(lines))
  const rootOf = async () => {
    const request = new Request(`http://c/v1/mirrors/${logId}/root?from=0&to=8`, { headers: { authorization: `Bearer ${TOKEN}` } })
    return (await (await routes[1]!(request))!.json()) as { root?: string }
  }
  const before = await rootOf()
  assert.equal(before.root?.length, 44)
  await withClient((client) => client.query(`UPDATE ${table} SET line = replace(line, 'log.open', 'log.0pen') WHERE seq = 0`))
  assert.notEqual((await rootOf()).root, before.root)
  await withClient((client) => client.query(`DELETE FROM ${table} WHERE seq = 0`))
  assert.deepEqual(await rootOf(), {})
})

test('a server that is not there is told without the connection', async () => {
  await assert.rejects(openPostgresMirrors({ connection: 'postgres://u:s3cr3t@127.0.0.1:1/x' }), (e: Error) => {
    return 'code' in e && e.code === 'IO_FAILED' && /ECONNREFUSED/.test(e.message) && !`${e.message}${e.stack}`.includes('s3cr3t')
  })
})
