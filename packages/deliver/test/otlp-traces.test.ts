/** Spans to a loopback collector: the contract, and the same spans whatever the batches, restarts and repeats. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Event, endsSpan, spanKey, spanPart, toSpan } from '@sworn/dialects'
import { nodePrimitives } from '@sworn/verify/node'
import fc from 'fast-check'
import { type Peer, sinkContract } from '../../../testkit/src/sink-contract.ts'
import { count, later } from '../../../testkit/src/suite.ts'
import type { Item } from '../src/index.ts'
import { believeCollector } from '../src/sinks/bulk.ts'
import { otlpTraceSink } from '../src/sinks/otlp-traces.ts'
import { openHttpPeer, type Posted } from './support/http-peer.ts'

const OPTIONS = { origin: 'sworn.local/x', version: '0', now: Date.now }

interface Span {
  readonly spanId: string
  readonly attributes: { readonly key: string; readonly value: { readonly intValue?: string } }[]
}

function spansOf({ body }: Posted): Span[] {
  const { resourceSpans } = JSON.parse(body)
  return resourceSpans.flatMap((of: { scopeSpans: { spans: Span[] }[] }) => of.scopeSpans.flatMap(({ spans }) => spans))
}

sinkContract(
  'otlp traces',
  async (): Promise<Peer> => {
    const peer = await openHttpPeer({ lie: '{"partialSuccess":{"rejectedSpans":"0"},"error":"no"}' })
    const seqOf = ({ attributes }: Span) => Number(attributes.find(({ key }) => key === 'sworn.seq')?.value.intValue)
    return {
      ...peer,
      open: otlpTraceSink({ ...OPTIONS, url: peer.url }),
      faults: ['down', 'error', 'lying', 'lost answer'],
      held: () => peer.taken.flatMap(spansOf).map(seqOf),
      drops: false,
    }
  },
  later,
)

const KINDS = ['approval_requested', 'authorization_decision', 'tool_call_start', 'tool_call_end'] as const

/** Actions whose records interleave, in the order of a ledger. */
const history = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 8, maxLength: 60 }).map((actions) => {
  const begun = new Map<number, number>()
  return actions.flatMap((action, seq): Item[] => {
    const step = begun.get(action) ?? 0
    begun.set(action, step + 1)
    const event_type = KINDS[step % KINDS.length]!
    const correlation_id = `c${action}.${Math.floor(step / KINDS.length)}`
    const timestamp = new Date(1_795_000_000_000 + seq * 10).toISOString()
    const event: Event = { event_type, tool: 't', correlation_id, session_id: 's', seq, timestamp, arguments: { action, step } }
    return [{ seq, key: `x/${seq}`, entryHash: '', event, body: '{}', line: '{}' }]
  })
})

function expected(items: readonly Item[]): Map<string, unknown> {
  const parts = Map.groupBy(
    items.map(({ event }) => spanPart(event)!),
    spanKey,
  )
  const ended = [...parts.values()].filter((of) => endsSpan(of.at(-1)!))
  const spans = ended.map((of) => toSpan(of, { ...OPTIONS, primitives: nodePrimitives }))
  return new Map(spans.map((span) => [String(span.spanId), JSON.parse(JSON.stringify(span))]))
}

test('the same spans leave whatever the batches are, after restarts in the middle of calls, and when batches come again', async (t) => {
  const peer = await openHttpPeer()
  t.after(peer.close)
  const steps = fc.array(fc.record({ size: fc.integer({ min: 1, max: 9 }), restart: fc.boolean(), again: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  })
  const { signal } = new AbortController()
  await fc.assert(
    fc.asyncProperty(history, steps, async (items, plan) => {
      peer.taken.length = 0
      const open = otlpTraceSink({ ...OPTIONS, url: peer.url })
      let sink = await open(undefined)
      let mark: Parameters<typeof open>[0]
      for (let at = 0, n = 0; at < items.length; n++) {
        const { size, restart, again } = plan[n % plan.length]!
        const batch = items.slice(at, at + size)
        if (again) await sink.send(batch, signal) // its answer was lost
        if (restart) {
          await sink.close()
          sink = await open(mark)
        }
        const outcome = await sink.send(batch, signal)
        mark = JSON.parse(JSON.stringify(outcome.mark))
        at += size
      }
      await sink.close()
      const wanted = expected(items)
      const spans = peer.taken.flatMap(spansOf)
      assert.deepEqual(new Set(spans.map(({ spanId }) => spanId)), new Set(wanted.keys()))
      for (const span of spans) assert.deepEqual(span, wanted.get(span.spanId))
    }),
    { numRuns: count({ fast: 15, ci: 60, full: 300 }) },
  )
})

test('a collector is believed only when it says in numbers that it rejected nothing', () => {
  const judged = (rejectedSpans: unknown) => {
    const text = JSON.stringify({ partialSuccess: { rejectedSpans } })
    return believeCollector([], { status: 200, retryAfter: undefined, text }, 'rejectedSpans')
  }
  for (const none of [0, '0', undefined, null]) assert.deepEqual(judged(none), {})
  for (const some of [1, '2', 'many', { toString: 1 }, [0]]) assert.deepEqual(judged(some), { whole: 'rejected by the collector' })
})
