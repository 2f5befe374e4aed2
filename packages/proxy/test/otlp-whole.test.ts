/** OTLP in: whatever a span or a log record says, in whichever words, is in its event: no attribute, event or link gets lost. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { LOG_KINDS, MEMBERS, SPAN_KINDS } from '../src/otlp/conventions.ts'
import { attribute, encodeSpans, openRoom, spansOf } from './support/otlp.ts'

/** Names that the table knows, and one that it does not; never those that say what a span is. */
const NAMES = [...new Set<string>(Object.values(MEMBERS).flat())].filter((name) => !(name in SPAN_KINDS)).concat('team.id')
const KINDS = Object.entries(SPAN_KINDS).flatMap(([name, kinds]) => Object.keys(kinds).map((value) => attribute(name, value)))
const some = { maxLength: 8 }
const names = fc.uniqueArray(fc.constantFrom(...NAMES), some)

/** Values that stand nowhere else. */
function createMint() {
  const made: string[] = []
  return {
    made,
    attributes: (keys: readonly string[]) => keys.map((key) => attribute(key, mint())),
    mint,
  }
  function mint(): string {
    made.push(`told-${made.length}.`)
    return made.at(-1)!
  }
}

const sketch = fc.record({
  kind: fc.constantFrom(...KINDS),
  own: names,
  resource: names,
  scope: names,
  events: fc.array(fc.record({ name: fc.constantFrom('exception', 'gen_ai.choice'), own: names }), { maxLength: 3 }),
  links: fc.array(names, { maxLength: 2 }),
  status: fc.constantFrom(0, 1, 2, 'STATUS_CODE_ERROR'),
})

/** All of it is taken, and every one of the values that it holds is in the event. */
async function postWhole(path: '/v1/traces' | '/v1/logs', told: object, values: readonly string[]): Promise<void> {
  const room = openRoom()
  const response = await room.post(JSON.stringify(told), { path })
  assert.deepEqual(await response.json(), {})
  const event = JSON.stringify(room.port.events()[0])
  const lost = values.filter((value) => !event.includes(value))
  assert.deepEqual(lost, [], event)
}

test('every value of a span is in its event, from its attributes to those of its links and of its resource', async () => {
  await fc.assert(
    fc.asyncProperty(sketch, async ({ kind, own, resource, scope, events, links, status }) => {
      const { made, attributes, mint } = createMint()
      const span = {
        ...{ traceId: '1'.repeat(32), spanId: '2'.repeat(16), name: mint(), kind: 3, traceState: mint() },
        ...{ startTimeUnixNano: '1767323045000000000', endTimeUnixNano: '1767323045120000000' },
        attributes: [kind, ...attributes(own)],
        events: events.map((one) => ({ name: one.name, timeUnixNano: '1767323045000000000', attributes: attributes(one.own) })),
        links: links.map((keys) => ({ traceId: '3'.repeat(32), spanId: '4'.repeat(16), attributes: attributes(keys) })),
        status: { code: status, message: mint() },
      }
      const scopeSpans = [{ scope: { name: mint(), version: mint(), attributes: attributes(scope) }, spans: [span] }]
      await postWhole('/v1/traces', { resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans }] }, made)
    }),
    { numRuns: count({ fast: 100, ci: 1000 }) },
  )
})

test('every value of a log record is in its event, its body and its severity too', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.entries(LOG_KINDS)), names, names, fc.boolean(), async ([name, kind], own, resource, ok) => {
      const { made, attributes, mint } = createMint()
      const words = own.filter((key) => !['success', 'decision', kind.has].includes(key))
      const said = [
        attribute('success', ok),
        attribute(kind.kind === 'decision' ? 'decision' : 'verdict', 'accept'),
        ...(kind.has ? [attribute(kind.has, 7)] : []),
      ]
      const record = {
        ...{ eventName: name, timeUnixNano: '1767323045000000000', severityText: mint(), body: { stringValue: mint() } },
        attributes: [...said, ...attributes(words)],
      }
      const resourceLogs = [{ resource: { attributes: attributes(resource) }, scopeLogs: [{ logRecords: [record] }] }]
      await postWhole('/v1/logs', { resourceLogs }, made)
    }),
    { numRuns: count({ fast: 100, ci: 1000 }) },
  )
})

const TOOL = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'read_file' }

test('a text that an SDK cut within an emoji takes no other span along, in either form', async () => {
  for (const form of ['json', 'protobuf'] as const) {
    const room = openRoom()
    const spans = spansOf([
      { attributes: { ...TOOL, 'gen_ai.tool.call.result': 'cut \ud83d', 'session.id': 's\ud83d' } },
      { attributes: TOOL },
    ])
    assert.equal((await room.post(encodeSpans(spans, form), { form })).status, 200)
    const [cut, ...others] = room.port.events()
    assert.equal(others.length, 1)
    assert.partialDeepStrictEqual(cut, { result: 'cut \ufffd', session_id: 's\ufffd' })
  }
})

test('what both forms tell of a span is the same event: kind, events, links, counts of what was left out', async () => {
  const [span] = spansOf([{ name: 'call', attributes: TOOL, exception: new RangeError('too far') }])
  const links = [{ context: { ...span!.spanContext(), spanId: '5'.repeat(16) }, attributes: { why: 'batch' }, droppedAttributesCount: 2 }]
  const whole = { ...span!, kind: 2, links, droppedEventsCount: 3, droppedLinksCount: 4, spanContext: () => span!.spanContext() }
  const events = await Promise.all(
    (['json', 'protobuf'] as const).map(async (form) => {
      const room = openRoom()
      await room.post(encodeSpans([whole], form), { form })
      return room.port.events()[0]
    }),
  )
  assert.deepEqual(events[1], events[0])
  const link = { span_id: '5'.repeat(16), attributes: { why: 'batch' }, dropped_attributes: 2 }
  assert.partialDeepStrictEqual(events[0], {
    error_type: 'RangeError',
    metadata: { ext: { otlp: { kind: 'client', links: [link], dropped_events: 3, dropped_links: 4 } } },
  })
  assert.match(JSON.stringify(events[0]), /"exception.stacktrace":"RangeError: too far/)
})

test('tokens that an agent tells of its whole turn are kept and not spent again: its calls of models tell them', async () => {
  const usage = { 'gen_ai.usage.input_tokens': 11, 'gen_ai.usage.output_tokens': 7 }
  const room = openRoom()
  const chat = { attributes: { 'gen_ai.operation.name': 'chat', ...usage } }
  await room.post(encodeSpans(spansOf([chat, { attributes: { 'gen_ai.operation.name': 'invoke_agent', ...usage } }]), 'json'))
  const [model, turn] = room.port.events()
  assert.deepEqual([model?.usage, turn?.usage], [{ input_tokens: 11, output_tokens: 7 }, undefined])
  assert.partialDeepStrictEqual(turn, { event_type: 'turn_end', metadata: { ext: { otlp: { attributes: usage } } } })
})

test('a span that its sender ended well is no error for an exception that was handled in it', async () => {
  const room = openRoom()
  const [span] = spansOf([{ attributes: TOOL, exception: new RangeError('tried again') }])
  await room.post(encodeSpans([{ ...span!, status: { code: 1 }, spanContext: () => span!.spanContext() }], 'protobuf'), {
    form: 'protobuf',
  })
  assert.partialDeepStrictEqual(room.port.events()[0], { event_type: 'tool_call_end', is_error: false })
})
