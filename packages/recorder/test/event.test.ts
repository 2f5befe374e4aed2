/** What happens to an event before it is redacted. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { EVENT_MEMBERS, RESERVED_MEMBERS } from '@sworn/verify/events'
import fc from 'fast-check'
import { z } from 'zod'
import { createFilter } from '../src/event/filter.ts'
import { createIds } from '../src/event/ids.ts'
import { accepts } from '../src/event/members.ts'
import { isPlainJson } from '../src/event/plain.ts'
import { sanitize } from '../src/event/sanitize.ts'
import { eventSchema } from '../src/event/schema.ts'
import { shapeEvent } from '../src/event/shape.ts'
import type { EventContext } from '../src/event/types.ts'
import { recorded, STAMP } from './support/events.ts'

const SEED = { seed: 20261121, numRuns: 300 }
const shape = (event: unknown) => shapeEvent(event, [], STAMP)

test('members are written in the order of the format, unknown ones last', () => {
  const event = {
    metadata: {},
    zebra: 1,
    user: 'u',
    tool: 't',
    decision: 'allow',
    event_type: 'x',
    session_id: 's',
    target: 'f',
    agent_id: 'a',
  }
  assert.deepEqual(Object.keys(recorded(event)), [
    ...[
      'timestamp',
      'event_type',
      'severity',
      'decision',
      'tool',
      'target',
      'user',
      'agent_id',
      'session_id',
      'event_id',
      'metadata',
      'zebra',
    ],
  ])
})

test('any set of members is written in the order of the format, however the caller ordered it', () => {
  const samples: Record<string, unknown> = {
    arguments: [1],
    error: { a: 1 },
    metadata: {},
    rpc_id: 7,
    tool: 't',
    is_error: false,
    user: 'u',
  }
  const strings = Object.keys(EVENT_MEMBERS).filter((name) => EVENT_MEMBERS[name] === 'id' || EVENT_MEMBERS[name] === 'text')
  const names = [...new Set([...Object.keys(samples), ...strings])]
  fc.assert(
    fc.property(fc.shuffledSubarray(names), (chosen) => {
      const event = Object.fromEntries([...chosen, 'event_type', 'own'].map((name) => [name, samples[name] ?? name]))
      const keys = Object.keys(shape(event))
      const known = Object.keys(EVENT_MEMBERS).filter((name) => keys.includes(name))
      assert.deepEqual(keys, [...known, 'own'])
      for (const name of chosen) assert.equal(shape(event)[name], event[name])
    }),
    SEED,
  )
  assert.ok(Object.keys(EVENT_MEMBERS).length <= 64, 'a set of members is two words of 32 bits')
})

test('how a user is known is said by whoever names the user', () => {
  const base = { user: 'root', user_source: 'os' } as const
  const sources = (event: object, context: EventContext = {}) => shapeEvent({ event_type: 'x', ...event }, [context, base], STAMP)
  assert.partialDeepStrictEqual(sources({}), base)
  assert.equal(sources({ user: 'alice' }).user_source, undefined)
  assert.equal(sources({}, { user: 'alice' }).user_source, undefined)
  assert.partialDeepStrictEqual(sources({}, { user: 'alice', user_source: 'token' }), { user: 'alice', user_source: 'token' })
})

test('severity follows from decision, risk and error when the caller gives none', () => {
  const cases: [object, string][] = [
    [{}, 'info'],
    [{ decision: 'deny' }, 'warning'],
    [{ error: 'x' }, 'error'],
    [{ risk_level: 'high' }, 'error'],
    [{ risk_level: 'critical', decision: 'deny' }, 'critical'],
    [{ severity: 'debug', decision: 'deny' }, 'debug'],
  ]
  for (const [members, severity] of cases) assert.equal(shape({ event_type: 'x', ...members }).severity, severity)
})

const refused: [string, unknown, string][] = [
  ['no object', 'text', ''],
  ['null', null, ''],
  ['no event_type', {}, '/event_type'],
  ['a type of the ledger', { event_type: 'log.open' }, '/event_type'],
  ['an empty type', { event_type: '' }, '/event_type'],
  ['a number as user', { event_type: 'x', user: 7 }, '/user'],
  ['a tool name of 1,025 characters', { event_type: 'x', tool: 'a'.repeat(1025) }, '/tool'],
  ['an unknown reason code', { event_type: 'x', reason_code: 'because' }, '/reason_code'],
  ['a local time', { event_type: 'x', timestamp: '2026-11-21T14:00:00+01:00' }, '/timestamp'],
  ['a day that its month does not have', { event_type: 'x', timestamp: '2026-02-29T14:00:00.000Z' }, '/timestamp'],
  ['a leap second', { event_type: 'x', timestamp: '2016-12-31T23:59:60.000Z' }, '/timestamp'],
  ['a UUIDv4', { event_type: 'x', event_id: '0193a3f2-9c1e-4abc-8def-0123456789ab' }, '/event_id'],
  ['a wrong sub-member', { event_type: 'x', usage: { input_tokens: -1 } }, '/usage/input_tokens'],
  ...RESERVED_MEMBERS.map((name): [string, unknown, string] => [`the reserved name ${name}`, { event_type: 'x', [name]: 1 }, `/${name}`]),
]
for (const [what, event, at] of refused) {
  test(`refuses ${what} and says where`, () => {
    assert.throws(
      () => shape(event),
      (e) => SwornError.is(e, 'EVENT_INVALID') && e.at === at,
    )
  })
}

test('no refusal repeats a value of the event', () => {
  for (const name of Object.keys(EVENT_MEMBERS)) {
    const event = { event_type: 'x', [name]: { hunter2: ['hunter2'] } }
    try {
      shape(event)
    } catch (error) {
      assert.ok(!String(error).includes('hunter2'), name)
    }
  }
})

test('an unknown event type is recorded as it is', () => {
  assert.equal(shape({ event_type: 'my_own_type' }).event_type, 'my_own_type')
})

test('the fast check and the zod schema agree on every member', () => {
  const values = fc.oneof(
    fc.anything(),
    fc.string(),
    fc.constantFrom('allow', 'error', 'monitor', 'request', -1, 0, 1.5, true, '2026-01-01T00:00:00.000Z'),
  )
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(EVENT_MEMBERS)), values, (name, value) => {
      fc.pre(value !== undefined && !(name === 'event_type'))
      const byZod = eventSchema.safeParse({ event_type: 'x', [name]: value }).success
      assert.equal(accepts(EVENT_MEMBERS[name]!, value), byZod, name)
    }),
    SEED,
  )
})

test('the schema prints as JSON Schema', () => {
  const schema = z.toJSONSchema(eventSchema)
  assert.deepEqual(schema.required, ['event_type'])
})

class Point {
  x = 1
  toJSON() {
    throw new Error('toJSON was called')
  }
}
const cycle: { self?: unknown } = {}
cycle.self = cycle
const marked: [string, unknown, unknown, string][] = [
  ['undefined', undefined, '[undefined]', 'undefined'],
  ['a function', () => 1, '[function]', 'function'],
  ['a symbol', Symbol('s'), '[symbol]', 'symbol'],
  ['a bigint', 2n ** 70n, '1180591620717411303424', 'bigint'],
  ['NaN', Number.NaN, '[NaN]', 'NaN'],
  ['Infinity', Number.POSITIVE_INFINITY, '[Infinity]', 'Infinity'],
  ['an integer beyond 2^53', 2 ** 60, '1152921504606847000', 'unsafe_integer'],
  ['a lone surrogate', 'a\ud800', 'a\ufffd', 'lone_surrogate'],
  ['a Date', new Date(0), '1970-01-01T00:00:00.000Z', 'date'],
  ['an invalid Date', new Date(Number.NaN), '[invalid date]', 'date'],
  ['a Map', new Map([['k', 1]]), [['k', 1]], 'map'],
  ['a Set', new Set([1, 2]), [1, 2], 'set'],
  ['bytes that are text', new TextEncoder().encode('hi'), 'hi', 'bytes'],
  ['other bytes', new Uint8Array([255, 0]), 'base64:/wA=', 'bytes'],
  ['an instance', new Point(), { x: 1, toJSON: undefined }, 'instance'],
  ['a boxed string', Object('s'), 's', 'boxed'],
  ['a RegExp', /a/g, '/a/g', 'regexp'],
  ['an Error', new TypeError('no'), { name: 'TypeError', message: 'no' }, 'error'],
  ['a revoked Proxy', revoked(), '[unreadable]', 'unreadable'],
]
function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
for (const [what, value, marker, was] of marked) {
  test(`${what} leaves a marker and a note`, () => {
    const event = recorded({ event_type: 'x', arguments: { v: value } })
    const metadata = event.metadata as { sanitized: { pointer: string; was: string }[] }
    assert.deepEqual((event.arguments as { v: unknown }).v, JSON.parse(JSON.stringify(marker)))
    assert.deepEqual(metadata.sanitized[0], { pointer: '/arguments/v', was })
  })
}

test('getters that throw, cycles, holes and depth leave markers', () => {
  const hostile = {
    get bad(): never {
      throw new Error('no')
    },
    cycle,
    holes: Object.assign(new Array(3), { 0: 1, 2: 3 }),
    deep: Array.from({ length: 200 }).reduce<unknown>((inner) => ({ inner }), 1),
  }
  const event = recorded({ event_type: 'x', arguments: hostile })
  const text = JSON.stringify(event)
  for (const marker of ['[unreadable]', '[circular]', '[too deep]', '[1,null,3]']) assert.ok(text.includes(marker), marker)
})

test('an event whose own members throw or trap is still recorded', () => {
  const event = Object.defineProperty({ event_type: 'x' }, 'extra', {
    enumerable: true,
    get() {
      throw new Error('no')
    },
  })
  assert.equal(recorded(event).extra, '[unreadable]')
  const trap = new Proxy({ event_type: 'x', arguments: { a: 1 } }, {})
  assert.deepEqual(recorded(trap).arguments, { a: 1 })
})

test('$sd and $blob of a caller get one more $', () => {
  const event = recorded({ event_type: 'x', arguments: { $sd: 'a', $$blob: 'b', $sde: 'c' }, $blob: 'd' })
  assert.deepEqual(event.arguments, { $$sd: 'a', $$$blob: 'b', $sde: 'c' })
  assert.equal(event.$$blob, 'd')
})

test('__proto__ and constructor are names like any other', () => {
  const event = recorded({ event_type: 'x', arguments: JSON.parse('{"__proto__":{"a":1},"constructor":2,"u":1e400}') })
  assert.equal(JSON.stringify(event.arguments), '{"__proto__":{"a":1},"constructor":2,"u":"[Infinity]"}')
})

test('the sanitiser is total, gives plain JSON, and leaves plain JSON alone', () => {
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withSparseArray: true,
        withTypedArray: true,
        withNullPrototype: true,
        withBoxedValues: true,
      }),
      (value) => {
        const { value: clean, notes } = sanitize(value)
        assert.ok(isPlainJson(clean))
        assert.deepEqual(sanitize(clean).notes, [])
        if (notes.length === 0) assert.equal(JSON.stringify(clean), JSON.stringify(value))
      },
    ),
    SEED,
  )
})

test('audit.events and log_level choose what is recorded; decisions, denials and gaps always are', () => {
  const keep = createFilter({ events: ['model_calls', 'data_access'], logLevel: 'warn' })
  assert.equal(keep(shape({ event_type: 'model_error' })), true)
  assert.equal(keep(shape({ event_type: 'model_request' })), false)
  assert.equal(keep(shape({ event_type: 'tool_call_error' })), false)
  assert.equal(keep(shape({ event_type: 'observation_gap' })), true)
  for (const decision of ['allow', 'deny'])
    assert.equal(keep(shape({ event_type: 'authorization_decision', decision, severity: 'debug' })), true)
  for (const event_type of ['approval_requested', 'method_blocked']) assert.equal(keep(shape({ event_type, severity: 'debug' })), true)
  assert.throws(
    () => createFilter({ events: ['tool_exec'] }),
    (e) => SwornError.is(e, 'CONFIG_INVALID'),
  )
  assert.throws(
    () => createFilter({ logLevel: 'loud' as 'info' }),
    (e) => SwornError.is(e, 'CONFIG_INVALID'),
  )
})

test('event ids are distinct UUIDv7 of the given millisecond', () => {
  const id = createIds()
  const ids = Array.from({ length: 2000 }, () => id(1_700_000_000_123))
  assert.equal(new Set(ids).size, 2000)
  for (const one of ids) assert.ok(accepts('uuid7', one) && one.startsWith('018bcfe5-687b-7'), one)
})
