/** What doctor says of clients whose hooks stay silent. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sworn, temporary } from './support/io.ts'

const line = (session_id: string, source: object) =>
  `${JSON.stringify({ event_type: 'tool_call_end', tool: 'Bash', session_id, source })}\n`
const told = (session: string) => line(session, { kind: 'otlp', name: 'codex_otel.log_only', vantage: 'reported' })
const hooked = (session: string) => line(session, { kind: 'hook', name: 'codex', vantage: 'inline' })

test('doctor tells of a client that only its telemetry tells of, and calls it wrong once hooks of it are on record', async () => {
  const place = { cwd: temporary(), home: temporary() }
  const add = async (stdin: string) => assert.equal((await sworn(['record'], { ...place, stdin })).code, 0)
  const coverage = async (): Promise<{ ok: boolean; detail: string }> =>
    JSON.parse((await sworn(['doctor', '--json'], place)).out).checks.find(({ what }: { what: string }) => what === 'coverage')
  await add(told('s-1') + told('s-2') + told('s-2'))
  const first = await coverage()
  assert.match(first.detail, /; hooks of codex silent: 2 sessions are told of by its telemetry alone, the last at seq \d+$/)
  assert.equal(first.ok, true)
  await add(hooked('s-1'))
  const second = await coverage()
  assert.match(second.detail, /; hooks of codex silent: 1 sessions /)
  assert.equal(second.ok, false)
  await add(hooked('s-2'))
  const third = await coverage()
  assert.deepEqual([third.ok, /silent/.test(third.detail)], [true, false])
})
