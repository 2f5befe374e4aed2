/** Delivery in a thread of its own: it goes on while this thread is busy, says what is true, and stops when it is told. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { append, linesOf, makePlace, openAt, type Place, until } from '../../../testkit/src/sink-contract.ts'
import { type Delivery, type DeliveryOptions, openDelivery, planSinks, readSinkStatus } from '../src/index.ts'

function open({ path }: Place, origin: string, sinks: readonly object[], options: Partial<DeliveryOptions> = {}): Delivery {
  const context = { origin, version: '0', stdout: process.stdout, now: Date.now, ledgerPath: path }
  const plans = planSinks(sinks, [], context)
  const aside = { names: plans.map(({ name }) => name), sinks, destinations: [] }
  return openDelivery({ path, origin, version: '0', sinks: plans, aside, ...options })
}

const copyOf = (place: Place) => join(place.path, '..', 'copy.jsonl')
const copied = (place: Place) => (existsSync(copyOf(place)) ? readFileSync(copyOf(place), 'utf8').split('\n').slice(0, -1) : [])

test('delivery goes on while this thread does nothing else', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  const delivery = open(place, ledger.info.origin, [{ type: 'jsonl', path: copyOf(place) }])
  assert.equal(await delivery.idle(30_000), true)
  append(ledger, 0, 50)
  const end = performance.now() + 20_000
  const lines = linesOf(place.path)
  while (copied(place).length < lines.length && performance.now() < end); // no turn of the event loop
  assert.deepEqual(copied(place), lines)
  await delivery.close()
})

test('idle is never said of what was there before: everything is delivered then, again and again', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  const delivery = open(place, ledger.info.origin, [{ type: 'jsonl', path: copyOf(place), batch: { wait_ms: 0 } }])
  for (let n = 0; n < 8; n++) {
    append(ledger, n * 3, 3)
    const blocked = performance.now() + 60 // what the thread tells meanwhile is old when it is heard
    while (performance.now() < blocked);
    append(ledger, n * 3 + 1000, 1)
    assert.equal(await delivery.idle(30_000), true)
    assert.deepEqual(copied(place), linesOf(place.path))
  }
  await delivery.close()
  append(ledger, 2000, 1)
  assert.equal(copied(place).length, linesOf(place.path).length - 1, 'it went on after it was stopped')
})

test('what was gone before it was delivered is told here', async () => {
  const place = makePlace()
  const ledger = openAt(place, { rotateBytes: 1 << 20 })
  append(ledger, 0, 1500, 1000)
  ledger.prune(ledger.size, { policy: 'test', unanchored: true })
  const lost: [string, number][] = []
  const onLost: DeliveryOptions['onLost'] = (sink, { from, to }) => void lost.push([sink, to - from])
  const delivery = open(place, ledger.info.origin, [{ type: 'jsonl', path: copyOf(place) }], { onLost })
  assert.equal(await delivery.idle(30_000), true)
  await delivery.close()
  const [status] = await readSinkStatus(place.path, Date.now())
  assert.ok(status!.lost > 0)
  assert.deepEqual(lost, [['jsonl', status!.lost]])
})

test('a thread that cannot begin is trouble, is tried again, and holds nobody up', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 3)
  const sinks = [{ type: 'jsonl', path: copyOf(place) }]
  const aside = { names: ['jsonl'], sinks: [{ type: 'nothing of the kind' }], destinations: [] }
  const delivery = open(place, ledger.info.origin, sinks, { aside })
  await delivery.settled(30_000) // trouble is not waited for
  assert.equal(await delivery.idle(10), false)
  await delivery.close()
  const good = open(place, ledger.info.origin, sinks)
  await until(() => copied(place).length === linesOf(place.path).length)
  await good.close()
})
