/** `/metrics` is mounted, for whoever has a token. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearer, REPORT, serve } from './support/serving.ts'

test('/metrics is for whoever has a token; without metrics there is none', async () => {
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }
  const serving = await serve({ metrics: async () => new Response('aip_violations_total 0\n', { headers }) })
  const answer = await serving.ask('/metrics', bearer(REPORT))
  assert.equal(answer.status, 200)
  assert.match(answer.text, /content-type: text\/plain; version=0\.0\.4; charset=utf-8/i)
  assert.match(answer.text, /aip_violations_total 0/)
  assert.deepEqual([(await serving.ask('/metrics')).status, (await serving.ask('/metrics', bearer('x'.repeat(20)))).status], [401, 401])
  assert.equal((await (await serve()).ask('/metrics', bearer(REPORT))).status, 404)
})
