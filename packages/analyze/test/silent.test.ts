/** Sessions whose hooks did not run, told of by telemetry alone. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSilentHooks } from '../src/actions/index.ts'
import type { Entry } from '../src/reading/entry.ts'

const TELEMETRY = { codex: 'codex_otel.log_only', 'claude-code': 'com.anthropic.claude_code.events' } as const
type Client = keyof typeof TELEMETRY
interface Seen {
  readonly client: Client
  readonly session: number
  readonly by: 'hook' | 'otlp' | 'proxy'
  readonly type: string
}

const seen: fc.Arbitrary<Seen> = fc.record({
  client: fc.constantFrom('codex', 'claude-code'),
  session: fc.integer({ min: 0, max: 3 }),
  by: fc.constantFrom('hook', 'otlp', 'proxy'),
  type: fc.constantFrom('user_prompt', 'authorization_decision', 'tool_call_end'),
})

function silentIn(all: readonly Seen[]) {
  const builder = createSilentHooks()
  for (const [seq, { client, session, by, type }] of all.entries()) {
    const source = { kind: by, name: by === 'otlp' ? TELEMETRY[client] : client }
    builder.add({ seq, session_id: `s-${session}`, event_type: type, source } as unknown as Entry) // what is looked at
  }
  return builder.done()
}

test('silent is a session with a call by telemetry and without a hook of the same client, in whatever order they come', () => {
  fc.assert(
    fc.property(fc.array(seen, { maxLength: 30 }), (all) => {
      const found = silentIn(all)
      for (const client of ['codex', 'claude-code'] as const) {
        const told = all.flatMap((one, seq) =>
          one.client === client && one.by === 'otlp' && one.type !== 'user_prompt' ? [{ ...one, seq }] : [],
        )
        const hooked = new Set(all.filter((one) => one.client === client && one.by === 'hook').map(({ session }) => session))
        const left = told.filter(({ session }) => !hooked.has(session))
        const expected = { client, sessions: new Set(left.map(({ session }) => session)).size, hooks_elsewhere: hooked.size > 0 }
        const silent = found.find((one) => one.client === client)
        assert.deepEqual(silent, left.length === 0 ? undefined : { ...expected, seq: left.at(-1)!.seq })
      }
    }),
  )
})

test('what is no session, no client that is known, or hostile, is passed by; the newest 4,096 sessions are kept', () => {
  const builder = createSilentHooks()
  const add = (seq: number, entry: object) => builder.add({ seq, event_type: 'tool_call_end', ...entry } as unknown as Entry)
  const source = { kind: 'otlp', name: 'codex_exec' }
  for (const session_id of [undefined, 1, {}, 'x'.repeat(201)]) add(1, { session_id, source })
  for (const other of [
    undefined,
    null,
    'otlp',
    { kind: 'otlp' },
    { kind: 'otlp', name: {} },
    { kind: 'otlp', name: 'codex' },
    { kind: 'hook', name: 'x' },
  ])
    add(1, { session_id: 's', source: other })
  assert.deepEqual(builder.done(), [])
  for (let seq = 0; seq < 5000; seq++) add(seq, { session_id: `s-${seq}`, source })
  assert.deepEqual(builder.done(), [{ client: 'codex', sessions: 4096, seq: 4999, hooks_elsewhere: false }])
})
