/** Rules of every kind that find something in few events, and events that hold something to find. */
import fc from 'fast-check'
import type { Rule } from '../../src/alerts/index.ts'
import type { Members } from './ledgers.ts'

export const RULES: readonly Rule[] = [
  { name: 'each', when: 'decision == "deny"', by: ['user'], cool_down: '10m' },
  { name: 'many', by: ['user'], window: '10m', threshold: { more_than: 2 } },
  { name: 'sum', window: '20m', threshold: { more_than: 3, sum: 'cost_usd' } },
  { name: 'rate', window: '2m', rate: { more_than: 1.5, per: '1m' } },
  { name: 'part', window: '30m', ratio: { of: 'is_error == true', more_than: 0.5, at_least: 3 } },
  { name: 'steps', by: ['session_id'], window: '30m', sequence: ['tool == "a"', 'tool == "b"'] },
  { name: 'first', by: ['agent'], first_seen: { of: 'tool', after: '5m', at_least: 2 } },
  { name: 'odd', window: '5m', deviation: { factor: 1, windows: 3, at_least: 2 } },
  { name: 'silent', when: 'event_type == "tool_call_start"', by: ['session_id'], window: '10m', silence: true },
  { name: 'lost', by: ['session_id', 'tool'], window: '10m', cool_down: '5m', unseen: 'no_outcome' },
  { name: 'cut', by: ['session_id'], window: '30d', cool_down: '1s', unseen: 'no_outcome' },
  { name: 'hookless', by: ['session_id'], window: '10m', cool_down: '1s', unseen: 'no_hook' },
  { name: 'unstopped', by: ['client'], window: '3m', cool_down: '20m', unseen: 'no_hook' },
  { name: 'asked', by: ['tool'], window: '30d', cool_down: '1s', unseen: 'announced_not_recorded' },
]

const T0 = Date.parse('2026-03-02T09:00:00.000Z')
const few = (...words: string[]) => fc.constantFrom(...words)

/** Mostly in order, some late, some with times that cannot be. */
export const events: fc.Arbitrary<Members[]> = fc
  .array(
    fc.record(
      {
        gapMs: fc.nat({ max: 4 * 60_000 }),
        lateMs: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat({ max: 3 * 3_600_000 })),
        timestamp: fc.option(few('soon', '9999-01-01T00:00:00.000Z'), { freq: 20 }),
        event_type: few(
          ...['tool_call_start', 'tool_call_start', 'tool_call_end', 'authorization_decision', 'log.gap', 'security_alert'],
          ...['model_request', 'model_response', 'session_end'],
        ),
        correlation_id: few('c-1', 'c-2', 'c-3', 'c-4'),
        source: fc.oneof(
          { weight: 2, arbitrary: fc.record({ kind: few('hook', 'mcp_stdio') }) },
          fc.record({ kind: few('hook', 'otlp', 'otlp'), name: few('codex', 'codex_otel') }),
        ),
        arguments: fc.record({ q: few('1', '2') }),
        error_type: few('outcome_unknown', 'failed'),
        result: fc.record({ tool_calls: fc.array(fc.record({ id: few('t-1', 't-2'), name: few('a', 'b') }), { maxLength: 2 }) }),
        decision: few('allow', 'deny'),
        user: few('alice', 'bob', '\u001b[31m\u202e'),
        agent_id: few('x', 'y'),
        session_id: few('s-1', 's-2'),
        tool: few('a', 'b', 'c', '__proto__'),
        is_error: fc.boolean(),
        cost_usd: fc.integer({ min: -1, max: 3 }),
      },
      { requiredKeys: ['gapMs', 'lateMs', 'event_type'] },
    ),
    { maxLength: 60 },
  )
  .map((drafts) => {
    let now = T0
    return drafts.map(({ gapMs, lateMs, timestamp, ...members }) => {
      now += gapMs
      return { timestamp: timestamp ?? new Date(now - lateMs).toISOString(), ...members }
    })
  })

/** Later than every event, earlier than the times that cannot be. */
export const NOW = T0 + 24 * 3_600_000
