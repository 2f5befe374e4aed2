/** The real exporter of OpenTelemetry, over a real listener, into a real ledger. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { bearer, REPORT, serve } from './support/serving.ts'

describe('an agent with OpenTelemetry', () => {
  test('its exporter, gzip and Protocol Buffers, needs the address and the token and nothing else', async () => {
    const serving = await serve()
    const exporter = new OTLPTraceExporter({
      url: `${serving.url}/v1/traces`,
      headers: { authorization: `Bearer ${REPORT}` },
      compression: 'gzip' as never, // its enum is in a package that it brings
    })
    const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] })
    const tracer = provider.getTracer('agent')
    for (const tool of ['read', 'write'])
      tracer.startSpan(`execute_tool ${tool}`, { attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool } }).end()
    await provider.forceFlush()
    await provider.shutdown()
    const recorded = (await serving.recorded()).filter(({ event_type }) => event_type === 'tool_call_end')
    assert.deepEqual(
      recorded.map(({ tool, user, source }) => [tool, user, (source as { vantage: string }).vantage]),
      [
        ['read', 'ci', 'reported'],
        ['write', 'ci', 'reported'],
      ],
    )
  })

  test('without a token nothing is read, for no path of those who report, and it is recorded who was turned away', async () => {
    const serving = await serve()
    for (const path of ['/v1/traces', '/v1/logs', '/v1/metrics', '/v1/gateways/litellm']) {
      const without = await serving.ask(path, { 'content-type': 'application/json' }, '{}')
      const wrong = await serving.ask(path, { ...bearer('x'.repeat(20)), 'content-type': 'application/json' }, '{}')
      assert.deepEqual([without.status, wrong.status], [401, 401])
      const known = await serving.ask(path, { ...bearer(REPORT), 'content-type': 'application/json' }, '{}')
      assert.equal(known.status, 200)
    }
    await serving.close()
    const [first] = (await serving.recorded()).filter(({ event_type }) => event_type === 'auth_failure')
    assert.partialDeepStrictEqual(first, { reason: 'token_missing', metadata: { endpoint: 'otlp' } })
  })
})
