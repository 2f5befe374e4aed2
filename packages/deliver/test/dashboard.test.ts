/**
 * The dashboard, the alert rules and the queries of the guide: every name is one that we expose, and every query finds
 * something in a real Prometheus that scrapes us.
 */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createObservations } from '@sworn/analyze/actions'
import { GENESIS } from '@sworn/verify'
import { parse } from 'yaml'
import { endWithTests } from '../../../testkit/src/children.ts'
import { makePlace, openAt, until } from '../../../testkit/src/sink-contract.ts'
import { later } from '../../../testkit/src/suite.ts'
import { sworn } from '../../cli/test/support/io.ts'
import { writeCursor } from '../src/cursor.ts'
import { makeDirectory } from '../src/files.ts'
import { sinkPlaces } from '../src/index.ts'
import { countsPath, readCounts, writeCounts } from '../src/metrics/counts-file.ts'
import { gauge, openMetrics } from '../src/metrics/index.ts'

const here = (path: string) => join(import.meta.dirname, path)
const read = (path: string) => readFileSync(here(path), 'utf8')
const GUIDE = '../../../docs/guides/metrics.md'

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}

function queries(): readonly { readonly what: string; readonly query: string }[] {
  const { panels } = JSON.parse(read('../dashboards/sworn-dashboard.json')) as { panels: readonly Panel[] } // the file is ours
  const ofPanels = panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ what: title, query: expr.replaceAll('$job', '.*') })),
  )
  const ofGuide = read(GUIDE)
    .split('## Queries')[1]!
    .split('\n')
    .flatMap((line) => {
      const [, what, query] = /^\| (.+?) \| `(.+)` \|$/.exec(line) ?? []
      return what && query ? [{ what, query }] : []
    })
  assert.ok(ofPanels.length >= 15 && ofGuide.length === 4)
  return [...ofPanels, ...ofGuide]
}

const rules = () =>
  (parse(read('../dashboards/sworn-alerts.yaml')) as { groups: { rules: { alert: string; expr: string }[] }[] }).groups[0]!.rules

/** A ledger and a sink of which there is everything to say; `more` makes every counter rise. */
async function everything() {
  const place = makePlace()
  const ledger = openAt(place)
  const { origin } = ledger.info
  const places = sinkPlaces(place.path, 'siem')
  let n = 0
  function more(): void {
    n++
    const human = { human_decision: { approved: n % 2 === 0, response_time_ms: 1500 } }
    const events = [
      ...[{ decision: 'allow' }, { decision: 'deny', violation: true, ...human }].map((event) => ({
        event_type: 'authorization_decision',
        ...event,
      })),
      { event_type: 'dlp_match', pattern: 'AWS Access Key', match_count: 1 },
      { event_type: 'observation_gap', metadata: { dropped: 1 } },
    ]
    for (const [i, event] of events.entries()) {
      const eventId = `0190b0a0-0000-7000-8000-${String(n * 10 + i).padStart(12, '0')}`
      const json = JSON.stringify({ timestamp: new Date().toISOString(), ...event, event_id: eventId })
      ledger.append([{ json, eventId, eventType: event.event_type, level: 'sync', producerId: 'p', sessionId: undefined }])
    }
  }
  more()
  makeDirectory(places.directory)
  await writeCursor(places.cursor, { origin, next: 1, entryHash: GENESIS, lost: 0 })
  const stats = () => ({
    ...{
      recorded: n,
      acknowledged: n,
      failed: n,
      refused: n,
      filtered: n,
      shed: n,
      waited: n,
      batches: n,
      bytes: n,
      outstanding: 1,
      outstandingBytes: 1,
    },
    ackMs: { boundsMs: [1, 10], counts: [n, n, 0], sumMs: n },
    syncMs: { boundsMs: [1, 10], counts: [n, n, 0], sumMs: n },
  })
  await anchor(place, origin)
  const verified = { atMs: Date.now(), entries: 1, findings: 1, claims: { chain: true } }
  const index = async () => [gauge('sworn_index_entries', 'h', 1)]
  return {
    more,
    place,
    metrics: openMetrics({
      path: place.path,
      origin,
      recorder: { stats },
      index,
      verified: () => verified,
      openObserver: createObservations,
    }),
  }
}

/** As if the ledger had noted a cosignature: what was counted is gone on with. */
async function anchor({ path }: ReturnType<typeof makePlace>, origin: string): Promise<void> {
  const before = openMetrics({ path, origin, openObserver: createObservations })
  await before.text()
  await before.close()
  const counted = readCounts(countsPath(path))!
  writeCounts(countsPath(path), {
    ...counted,
    counts: { ...counted.counts, anchors: new Map([['witness', { size: 1, notedMs: Date.now() }]]) },
  })
}

/** Names of series in a query. */
const namesIn = (query: string) => [...query.matchAll(/\b(?:aip|sworn)_\w+/g)].map(([name]) => name)

test('every name that the dashboard, the rules and the guide use is one that is exposed', async () => {
  const { metrics, place } = await everything()
  const told = await sworn(['metrics', '--verify', place.path], { cwd: '/' })
  assert.equal(told.code, 0, told.err)
  const exposed = new Set([...`${await metrics.text()}\n${told.out}`.matchAll(/^(\w+)(?:\{|\s)/gm)].map(([, name]) => name))
  await metrics.close()
  const used = [...queries().map(({ query }) => query), ...rules().map(({ expr }) => expr)].flatMap(namesIn)
  assert.ok(used.length > 30)
  assert.deepEqual(
    [...new Set(used)].filter((name) => !exposed.has(name)),
    [],
  )
  const undocumented = [...exposed].filter((name) => !read(GUIDE).includes(name!.replace(/_(bucket|sum|count)$/, '')))
  assert.deepEqual(undocumented, [])
})

test('a quantile is taken of the rate of buckets by le, everywhere', () => {
  const quantiles = [...queries().map(({ query }) => query), ...rules().map(({ expr }) => expr)].filter((query) =>
    query.includes('histogram_quantile'),
  )
  assert.ok(quantiles.length >= 4)
  for (const query of quantiles)
    assert.match(query, /^histogram_quantile\(0\.\d+, sum by \([\w, ]*\ble\) \(rate\(\w+_bucket(\{.*\})?\[\d+[mh]\]\)\)\)/, query)
})

test('promtool finds no fault in the alert rules, and each fires when it should', { skip: later }, (t) => {
  const check = spawnSync(process.env.PROMTOOL ?? 'promtool', ['test', 'rules', here('support/alert-cases.yaml')], { encoding: 'utf8' })
  if (check.error) return t.skip('NO PROMTOOL here (Debian: prometheus): the alert rules were not run')
  assert.equal(check.status, 0, check.stdout + check.stderr)
  const tried = [...read('support/alert-cases.yaml').matchAll(/alertname: (\w+)/g)].map(([, name]) => name)
  assert.deepEqual(
    tried,
    rules().map(({ alert }) => alert),
  )
})

type Found = { readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] } }

/** A Prometheus that scrapes `target` each second; undefined where none is installed. */
async function openPrometheus(t: TestContext, target: string): Promise<((query: string) => Promise<Found['data']['result']>) | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'sworn-prometheus-'))
  const config = join(directory, 'prometheus.yml')
  writeFileSync(config, `global: {scrape_interval: 1s}\nscrape_configs: [{job_name: sworn, static_configs: [{targets: ["${target}"]}]}]\n`)
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${directory}/data`, '--web.listen-address=127.0.0.1:0']
  const server = spawn(process.env.PROMETHEUS ?? 'prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const address = await new Promise<string | undefined>((resolve) => {
    server.once('error', () => resolve(undefined))
    createInterface(server.stderr).on('line', (line) => {
      const [, found] = /msg="Listening on" address=(\S+)/.exec(line) ?? []
      if (found) resolve(found)
    })
  })
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  if (address === undefined) return undefined
  endWithTests(server)
  await until(async () => (await fetch(`http://${address}/-/ready`)).ok) // it listens before it answers
  return async (query) => {
    const answer = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`)
    const text = await answer.text()
    assert.equal(answer.status, 200, `${query}: ${text}`)
    return (JSON.parse(text) as Found).data.result // the answer of Prometheus' own API
  }
}

test('in a real Prometheus every query finds something, and the quantile of the AIP guide nothing', {
  skip: later,
  timeout: 60_000,
}, async (t) => {
  const { metrics, more } = await everything()
  const server = createServer((_, response) => {
    more()
    metrics.text().then((text) => response.end(text))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await metrics.close()
  })
  const ask = await openPrometheus(t, `127.0.0.1:${(server.address() as AddressInfo).port}`)
  if (!ask) return t.skip('NO PROMETHEUS here (Debian: prometheus): the queries were not run')
  for (let left = 300; left > 0 && Number((await ask('count_over_time(sworn_ledger_entries[5m])'))[0]?.value[1] ?? 0) < 4; left--)
    await wait(100)
  for (const { what, query } of queries()) {
    const result = await ask(query)
    assert.ok(result.length > 0, `${what}: nothing is found by ${query}`)
    assert.ok(
      result.every(({ value }) => Number.isFinite(Number(value[1]))),
      `${what}: ${query} is ${result[0]?.value[1]}`,
    )
  }
  for (const { expr } of rules()) await ask(expr)
  const p95 = await ask('histogram_quantile(0.95, sum by (le) (rate(aip_human_approval_response_time_seconds_bucket[1h])))')
  assert.ok(Number(p95[0]!.value[1]) > 1 && Number(p95[0]!.value[1]) <= 2, 'all answers took 1.5 s')
  assert.deepEqual(await ask('histogram_quantile(0.95, aip_human_approval_response_time_seconds)'), [])
})
