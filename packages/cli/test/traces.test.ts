/** Tool calls that a program records are spans at an OpenTelemetry collector, under the caller's own trace. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openHttpPeer } from '../../deliver/test/support/http-peer.ts'
import { openRecorder } from '../src/library.ts'
import { temporary } from './support/io.ts'

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code: number; readonly message?: string }
  readonly attributes: { readonly key: string; readonly value: { readonly stringValue?: string } }[]
}

test('a call that is allowed, one that fails and one that is denied are a span each', async (t) => {
  const peer = await openHttpPeer()
  t.after(peer.close)
  const [cwd, home] = [temporary(), temporary()]
  writeFileSync(join(cwd, 'sworn.yaml'), `audit:\n  sinks: [{type: otlp, signal: traces, url: "${peer.url}"}]\n`)
  const recorder = await openRecorder({ cwd, config: 'sworn.yaml', env: { SWORN_HOME: home } })
  t.after(() => recorder.close())
  const call = (name: string, run: () => string) => recorder.tool(name, async (_: { q: string }) => run())({ q: 'one' })
  const trace = { trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16), session_id: 's' }
  await recorder.withContext(trace, () => call('search', () => 'found'))
  await assert.rejects(call('fail', () => assert.fail('it broke')))
  await recorder.record({
    event_type: 'authorization_decision',
    decision: 'deny',
    tool: 'delete',
    reason_code: 'tool_blocked',
    correlation_id: 'c',
  })
  const taken = (): Span[] => peer.taken.flatMap(({ body }) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans)
  while (taken().length < 3) await wait(20)
  await recorder.close()

  assert.ok(peer.taken.every(({ path }) => path === '/v1/traces'))
  const spans = taken()
  const textOf = (span: Span, key: string) => span.attributes.find((attribute) => attribute.key === key)?.value.stringValue
  assert.deepEqual(
    spans.map((span) => [span.name, span.status.code, textOf(span, 'gen_ai.operation.name')]),
    [
      ['execute_tool search', 0, 'execute_tool'],
      ['execute_tool fail', 2, 'execute_tool'],
      ['execute_tool delete', 2, 'execute_tool'],
    ],
  )
  const [found, failed, denied] = spans as [Span, Span, Span]
  assert.deepEqual([found.traceId, found.parentSpanId], [trace.trace_id, trace.span_id])
  assert.equal(textOf(found, 'gen_ai.tool.call.arguments'), '{"q":"one"}')
  assert.equal(textOf(found, 'gen_ai.tool.call.result'), 'found')
  assert.match(failed.status.message ?? '', /it broke/)
  assert.equal(textOf(denied, 'error.type'), 'tool_blocked')
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 3)
  for (const { startTimeUnixNano, endTimeUnixNano } of spans) assert.ok(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano))
})
