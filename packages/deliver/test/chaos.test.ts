/**
 * Delivery that is killed again and again, to sinks that fail in every way they can: down, slow, a 200 that means no,
 * half a batch, a lost answer, Retry-After, refused for good. In the end each holds exactly the ledger's events, those
 * of a session in their order, and no process ever needed much memory. One process delivers to all sinks at once.
 */
import { test } from 'node:test'
import { count, later } from '../../../testkit/src/suite.ts'
import { chaos, KILLS } from './support/chaos.ts'
import { SINKS } from './support/chaos-sinks.ts'

const FEW = count({ fast: 600, ci: 1000, full: 20_000 })
const MANY = count({ fast: 0, ci: 0, full: 1_000_000 })
/** For one sink, or three. */
const USUAL = { heapMb: 160, residentMb: 300 }
/** For all of them, with the clients of others. */
const ALL = { heapMb: 320, residentMb: 500 }

const title = (what: string, events: number) => `${what}: killed ${KILLS} times over ${events} events, it holds exactly the ledger's`
const rows = Object.entries(SINKS)
const there = rows.filter(([, { skip }]) => skip === false).map(([, { make }]) => make)

if (later) {
  const few = (['jsonl', 'elasticsearch', 'webhook'] as const).map((what) => SINKS[what]!.make)
  test(title('each of three sinks', FEW), (t) => chaos(t, few, FEW, USUAL))
} else {
  test(title(`each of ${there.length} sinks`, FEW), (t) => chaos(t, there, FEW, ALL))
  for (const [what, { skip }] of rows) if (skip) test(what, { skip }, () => {})
}

if (MANY > 0)
  for (const [of, what] of [
    ['a file', 'jsonl'],
    ['HTTP batches', 'webhook'],
    ['tables in a file', 'sqlite'],
    ['a database', 'postgres'],
    ['a broker', 'nats'],
  ] as const)
    test(title(of, MANY), { skip: SINKS[what]!.skip }, (t) => chaos(t, [SINKS[what]!.make], MANY, USUAL))
