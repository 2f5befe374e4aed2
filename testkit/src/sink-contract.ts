/**
 * What every sink must do, against its own peer: a new sink adds one call to this and nothing else.
 *
 * The ledger is a real one on disk, written while it is delivered. A peer says what it holds as seqs, in the order in
 * which they arrived, and can be made to fail. Bounded and deterministic: waits are by condition, jitter is zero.
 */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import zlib from 'node:zlib'
import { type Clock, type Delivery, type OpenSink, openDelivery, probeSinks, type SinkPlan, systemClock } from '@sworn/deliver'
import { type Item, type Ledger, type LedgerOptions, openLedger } from '@sworn/recorder'

/** How a peer may fail. `lying`: says yes and means no. `partial`: takes some. `lost answer`: takes all and does not say so. */
export type Fault = 'down' | 'error' | 'lying' | 'partial' | 'lost answer'

/** The other side of a sink. */
export interface Peer {
  readonly open: OpenSink
  readonly shape?: Partial<SinkPlan['shape']>
  /** Faults that it can have; the next `times` requests have one. */
  readonly faults: readonly Fault[]
  fail(fault: Fault, times: number): Promise<void> | void
  /** The seqs that it holds, as they arrived. */
  held(): Promise<readonly number[]> | readonly number[]
  /** True when the sink or its peer drops what comes twice. */
  readonly drops: boolean
  /** It is asked by seq: the order of arrival says nothing there. */
  readonly isUnordered?: true
  /** It gets closed segments only: how large the ledger's are, so that some are. */
  readonly segmentBytes?: number
  close(): Promise<void> | void
}

export interface Place {
  readonly path: string
  readonly home: string
}

export function makePlace(name = 'audit'): Place {
  const root = mkdtempSync(join(tmpdir(), 'sworn-deliver-'))
  return { path: join(root, name), home: join(root, 'home') }
}

export function openAt({ path, home }: Place, options: Partial<LedgerOptions> = {}): Ledger {
  return openLedger({ path, home, now: () => 1_795_000_000_000, host: 'h', version: '0', pid: 1, ...options })
}

/** Event number `n` of one of three sessions. */
export function eventItem(n: number, bytes = 0): Item {
  const eventId = `0190b0a0-0000-7000-8000-${String(n).padStart(12, '0')}`
  const sessionId = `s${n % 3}`
  const event = {
    timestamp: '2026-11-21T10:00:00.000Z',
    event_type: 'tool_call_end',
    severity: 'info',
    tool: `tool_${n}`,
    session_id: sessionId,
    event_id: eventId,
    metadata: { n, text: 'é'.repeat(bytes) },
  }
  return { json: JSON.stringify(event), eventId, eventType: 'tool_call_end', level: 'sync', producerId: 'p', sessionId }
}

/** One by one, as they are recorded; many in groups, because each append is synced. */
export function append(ledger: Ledger, from: number, count: number, bytes = 0): void {
  const most = count > 100 ? 50 : 1
  for (let n = 0; n < count; n += most)
    ledger.append(Array.from({ length: Math.min(most, count - n) }, (_, i) => eventItem(from + n + i, bytes)))
}

/** Every line of the ledger at `path`, a directory. */
export function linesOf(path: string, segments: 'all' | 'closed' = 'all'): string[] {
  const folder = join(path, 'segments')
  const names = readdirSync(folder).filter((name) => /^\d{20}\.jsonl/.test(name))
  const read = names.toSorted().slice(0, segments === 'all' ? undefined : -1)
  return read.flatMap((name) => {
    const bytes = readFileSync(join(folder, name))
    return (name.endsWith('.gz') ? zlib.gunzipSync(bytes) : bytes).toString('utf8').split('\n').slice(0, -1)
  })
}

/** The seqs of the ledger's events, or of all its entries. */
export function seqsOf(path: string, records: 'all' | 'events', segments: 'all' | 'closed' = 'all'): number[] {
  const entries: { seq: number; event_type: string }[] = linesOf(path, segments).map((line) => JSON.parse(line))
  return entries.filter(({ event_type }) => records === 'all' || !event_type.startsWith('log.')).map(({ seq }) => seq)
}

export function planOf(peer: Pick<Peer, 'open' | 'shape' | 'segmentBytes'>, plan: Partial<SinkPlan> = {}): SinkPlan {
  return {
    name: 'test',
    type: 'test',
    open: peer.open,
    shape: { records: 'events', ...peer.shape },
    start: 'beginning',
    batch: { items: 7, lingerMs: 0 },
    timeoutMs: 10_000,
    backoff: { firstMs: 1, maxMs: 5 },
    maxDeadBytes: 1 << 20,
    ...(peer.segmentBytes !== undefined && { segments: 'closed' }),
    ...plan,
  }
}

export function start(
  path: string,
  origin: string,
  plans: readonly SinkPlan[],
  clock: Clock = { ...systemClock, random: () => 0 },
): Delivery {
  return openDelivery({ path, origin, version: '0', sinks: plans, clock })
}

/** Waits until everything is delivered, and stops. */
export async function finish(delivery: Delivery): Promise<void> {
  assert.equal(await delivery.idle(30_000), true, 'not everything was delivered within 30 s')
  await delivery.close()
}

const unique = (seqs: readonly number[]) => [...new Set(seqs)]
const ascending = (seqs: readonly number[]) => seqs.toSorted((a, b) => a - b)

/** The first arrivals of each session, in the ledger's order. */
function assertInOrder(path: string, held: readonly number[]): void {
  const session = new Map(linesOf(path).map((line) => [JSON.parse(line).seq, JSON.parse(line).session_id]))
  for (const seqs of Map.groupBy(unique(held), (seq) => session.get(seq)).values()) assert.deepEqual(seqs, ascending(seqs))
}

/** @param makePeer is told where the ledger will be. @param rotation why the test with many entries is left out; absent: it is not */
export function sinkContract(name: string, makePeer: (place: Place) => Promise<Peer> | Peer, rotation: string | false = false): void {
  describe(`sink contract: ${name}`, () => {
    const withPeer = async (act: (peer: Peer, place: Place, ledger: Ledger) => Promise<void>) => {
      const place = makePlace()
      const peer = await makePeer(place)
      const ledger = openAt(place, { rotateBytes: peer.segmentBytes ?? 1 << 20 })
      try {
        await act(peer, place, ledger)
      } finally {
        await peer.close()
        rmSync(join(place.path, '..'), { recursive: true, force: true })
      }
    }
    const assertHolds = async (peer: Peer, { path }: Place) => {
      const held = await peer.held()
      const expected = seqsOf(path, peer.shape?.records ?? 'events', peer.segmentBytes === undefined ? 'all' : 'closed')
      assert.ok(expected.length > 0)
      assert.deepEqual(ascending(unique(held)), expected)
      if (!peer.isUnordered) assertInOrder(path, held)
      if (peer.drops) assert.equal(held.length, unique(held).length, 'held twice')
    }

    test(`${name}: holds every entry once, in order, over a restart`, () =>
      withPeer(async (peer, place, ledger) => {
        append(ledger, 0, 20)
        await finish(start(place.path, ledger.info.origin, [planOf(peer)]))
        append(ledger, 20, 20)
        ledger.close()
        await finish(start(place.path, ledger.info.origin, [planOf(peer)]))
        await assertHolds(peer, place)
        const held = await peer.held()
        assert.equal(held.length, unique(held).length)
      }))

    test(`${name}: a crash before the cursor moved ships again and leaves nothing out`, () =>
      withPeer(async (peer, place, ledger) => {
        const cursor = join(place.path, 'sinks', 'test', 'cursor.json')
        append(ledger, 0, 10)
        await finish(start(place.path, ledger.info.origin, [planOf(peer)]))
        const before = `${cursor}.before`
        copyFileSync(cursor, before)
        append(ledger, 10, 10)
        await finish(start(place.path, ledger.info.origin, [planOf(peer)]))
        copyFileSync(before, cursor)
        append(ledger, 20, 5)
        await finish(start(place.path, ledger.info.origin, [planOf(peer)]))
        await assertHolds(peer, place)
      }))

    test(`${name}: every fault it can have is retried until it holds everything`, () =>
      withPeer(async (peer, place, ledger) => {
        let n = 0
        const delivery = start(place.path, ledger.info.origin, [planOf(peer)])
        for (const fault of peer.faults) {
          await peer.fail(fault, 3)
          append(ledger, n, 15)
          n += 15
          assert.equal(await delivery.idle(30_000), true, fault)
        }
        append(ledger, n, 5)
        await finish(delivery)
        await assertHolds(peer, place)
        assert.equal(existsSync(join(place.path, 'sinks', 'test', 'dead.jsonl')), false)
      }))

    test(`${name}: a probe is taken beside what is delivered, and is no entry`, () =>
      withPeer(async (peer, place, ledger) => {
        append(ledger, 0, 5)
        const delivery = start(place.path, ledger.info.origin, [planOf(peer)])
        const probes = await probeSinks([planOf(peer)], { timeoutMs: 10_000, clock: systemClock })
        await finish(delivery)
        assert.deepEqual(
          probes.map(({ ok, detail }) => [ok, detail === '' || detail.includes('://')]),
          [[true, false]],
          probes[0]?.detail,
        )
        await assertHolds(peer, place)
      }))

    test(`${name}: rotation, compression and a wall clock that jumps lose nothing`, { skip: rotation }, () =>
      withPeer(async (peer, place, ledger) => {
        let skew = 0
        const clock: Clock = { ...systemClock, random: () => 0, now: () => Date.now() + skew }
        append(ledger, 0, 400, 1000) // 0.9 MB
        const delivery = start(place.path, ledger.info.origin, [planOf(peer, { batch: { items: 50, lingerMs: 0 } })], clock)
        skew = -86_400_000
        append(ledger, 400, 400, 1000)
        skew = 86_400_000
        append(ledger, 800, 400, 1000)
        const segments = join(place.path, 'segments')
        const [first = ''] = readdirSync(segments)
          .filter((file) => file.endsWith('.jsonl'))
          .toSorted()
        writeFileSync(join(segments, `${first}.gz`), zlib.gzipSync(readFileSync(join(segments, first))))
        rmSync(join(segments, first))
        append(ledger, 1200, 10)
        await finish(delivery)
        await assertHolds(peer, place)
        assert.ok(readdirSync(segments).filter((file) => file.includes('.jsonl')).length >= 2, 'nothing was rotated')
        ledger.close()
      }),
    )
  })
}

/** Until `holds`, at most 10 s. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 2000; left > 0 && !(await holds()); left--) await wait(5)
  assert.ok(await holds())
}
