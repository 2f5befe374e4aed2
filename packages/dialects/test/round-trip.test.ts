import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { DIALECTS, type Dialect, type Event } from '@sworn/dialects'
import type { JsonObject, JsonValue } from '@sworn/verify'
import { EVENT_MEMBERS } from '@sworn/verify/events'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { findDigits } from '../src/native.ts'
import { event, json, optionsFor, samplesOf, TELLING_TYPES } from './support/events.ts'

const RUNS = { seed: 20_260_728, numRuns: count({ fast: 20, ci: 100, full: 1000 }) }

const readable = DIALECTS.filter((dialect) => dialect.openReader)
const withSidecar = ['gantz', 'aegis-rows', 'aat']

/** AAT is not signed here: a signature is none of the event's. */
async function write(dialect: Dialect, ...events: readonly Event[]): Promise<{ lines: string[]; beside: (JsonObject | undefined)[] }> {
  const writer = dialect.openWriter({ ...optionsFor(dialect.name), ...(dialect.name === 'aat' && { signer: undefined }) })
  const lines: string[] = []
  const beside: (JsonObject | undefined)[] = []
  for (const one of events) {
    const written = await writer.write(one)
    lines.push(...written.lines)
    beside.push(written.beside?.event)
  }
  return { lines, beside }
}

function read(dialect: Dialect, line: string): Event {
  return dialect.openReader!(optionsFor(dialect.name))(line)
}

/** The event without what an import adds. */
function withoutExt({ metadata, source, ...members }: Event): JsonObject {
  const isObject = (value: JsonValue | undefined): value is JsonObject =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const { ext, ...own } = isObject(metadata) ? metadata : {}
  return {
    ...members,
    ...(source !== undefined && !ext && { source }),
    ...(Object.keys(own).length > 0 && { metadata: own }),
  } as JsonObject // an event is JSON
}

describe('event → dialect → event', () => {
  for (const dialect of readable.filter(({ name }) => !withSidecar.includes(name))) {
    it(`${dialect.name}: nothing is lost, whatever the event`, async () => {
      await fc.assert(
        fc.asyncProperty(event, async (one) => {
          const { lines } = await write(dialect, one)
          assert.equal(lines.length, 1)
          assert.deepEqual(read(dialect, lines[0]!), one)
        }),
        RUNS,
      )
    })
  }
  for (const dialect of readable.filter(({ name }) => withSidecar.includes(name))) {
    it(`${dialect.name}: the sidecar has the event whole, under the record's id`, async () => {
      await fc.assert(
        fc.asyncProperty(event, async (one) => {
          const { beside } = await write(dialect, one)
          assert.deepEqual(beside, [one])
        }),
        RUNS,
      )
    })
  }
})

/** What records of each dialect look like, besides anything else. */
const FOREIGN: Readonly<Record<string, readonly JsonObject[]>> = {
  aip: [
    {
      timestamp: '2026-03-03T16:32:00Z',
      event_type: 'authorization_decision',
      agent_id: 'agent-abc123',
      user: 'alice@example.com',
      tool: 'write_file',
      arguments: { path: '/etc/config.yaml' },
      decision: 'deny',
      reason: 'tool not in allowed_tools',
      policy_version: '1.0.0',
    },
    {
      event_type: 'authorization_decision',
      timestamp: '2026-03-03T16:45:00Z',
      tool: 'write_file',
      decision: 'allow',
      reason: 'human approved',
      human_decision: { approved: true, response_time_ms: 3420, dialog_shown_at: '2026-03-03T16:44:56.580Z' },
    },
    { timestamp: '2026-03-03T16:32:00Z', signature: 'ed25519:YWJj' },
  ],
  'aip-spec': [
    {
      timestamp: '2026-01-20T10:30:45.123456789Z',
      level: 'INFO',
      direction: 'upstream',
      method: 'tools/call',
      tool: 'gh',
      args: { a: 1 },
      decision: 'ALLOW_MONITOR',
      policy_mode: 'monitor',
      violation: true,
    },
    { timestamp: '2026-01-20T10:30:45.123Z', event: 'DLP_TRIGGERED', dlp_rule: 'AWS Key', dlp_action: 'REDACTED', dlp_match_count: 2 },
    { event: 'TOKEN_ROTATED', old_token_id: 'a', new_token_id: 'b', decision: 'RATE_LIMITED' },
  ],
  gantz: [
    {
      event_id: '00000000-0000-4000-8000-000000000001',
      event_type: 'tool_call_start',
      timestamp: 1763164800.5,
      session_id: null,
      correlation_id: 'c',
      user_id: 'u',
      agent_id: null,
      action: 'search_database',
      resource: null,
      parameters: { query: 'SELECT 1', limit: 10 },
      result: null,
      error: null,
      severity: 'info',
      duration_ms: null,
      ip_address: null,
      user_agent: null,
      previous_hash: null,
      event_hash: '26611f2b94eec6c48d2fbd94c91bb58915bfd7009c1a344811b4547fb1b54598',
    },
    { event_type: 'authz_denied', error: 'no', action: 'x' },
  ],
  aegis: [
    {
      sequence_id: 0,
      timestamp: '2026-03-29T10:30:00+00:00',
      agent_id: 'sales-agent',
      action_type: 'update_deal',
      action_target: 'salesforce',
      decision: 'auto',
      risk_level: 'medium',
      matched_rule: 'r',
      metadata: { deal_id: 'D', ext: 1, sworn: 2 },
      previous_hash: '0'.repeat(64),
      entry_hash: 'f',
    },
  ],
  'aegis-rows': [
    {
      id: 7,
      session_id: 's',
      timestamp: '2026-03-29T10:30:00.123456+00:00',
      action_type: 'delete_user',
      action_target: 'production_db',
      action_params: '{"user_id": "42"}',
      action_desc: 'd',
      risk_level: 'CRITICAL',
      approval: 'block',
      matched_rule: 'b',
      human_decision: null,
      result_status: 'blocked',
      result_data: 'text',
      result_error: 'no',
      agent_id: null,
      parent_agent_id: 'p',
      chain_id: 'c',
      chain_depth: 2,
    },
  ],
  agef: [
    {
      agef_version: '1.0.0',
      event_id: '00000000-0000-4000-8000-000000000001',
      timestamp: '2026-03-29T10:30:00Z',
      event_type: 'guardrail_trigger',
      agent: { id: 'a', chain_depth: 1 },
      action: { type: 't' },
      decision: { outcome: 'masked' },
      guardrail: { name: 'g', type: 'pii', matches: [] },
      evidence: { hash: 'sha256:00', previous_hash: null },
      cost: { total: 1.5 },
      metadata: { ext: { pi: {} } },
    },
  ],
  pi: [
    {
      id: '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
      timestamp: '2026-03-03T16:32:00.123Z',
      sessionId: 's',
      event: 'session_end',
      userId: 'alice',
      role: 'admin',
      orgUnit: 'eng',
      metadata: { stats: { allowed: 42, dryRun: 0, budgetExceeded: 0 }, budget: { used: 50, remaining: null } },
    },
    { event: 'bash_denied', decision: 'denied', tool: 'bash', input: { command: 'rm -rf /' }, duration: 12.5 },
    { event: 'tool_result', metadata: { isError: true, other: 1 } },
    { event: 'tool_dry_run', decision: 'blocked' },
    { event: 'approval_denied', decision: 'denied', reason: 'timeout', duration: 60000 },
  ],
  aat: [
    {
      record_id: '00000000-0000-4000-8000-000000000002',
      timestamp: '2026-10-01T00:00:01.000Z',
      agent_id: 'urn:agent:bot.example',
      agent_version: '1.0.0',
      session_id: 's',
      trust_level: 'L2',
      action_type: 'tool_call',
      action_detail: { tool_name: 'weather', parameters_hash: '00' },
      outcome: 'success',
      parent_record_id: null,
      prev_hash: null,
      record_phase: 'pre_execution',
      signature: 'x',
      batch: { leaf_index: 1 },
    },
  ],
  sahu: [
    {
      step_id: '03A',
      action_id: 'write_file',
      params: { path: 'notes.md' },
      success: true,
      ts_ms: 1755300200000,
      actor: { agent: 'claude-code', user: 'alice' },
      source: 'langgraph',
      public_key: '00',
      signature: '00',
    },
  ],
  cloudevents: [
    { specversion: '1.0', id: '1', source: '/x', type: 'com.example', data: { a: 1 } },
    { specversion: '1.0', id: '1', source: '/x', type: 'com.example', data_base64: 'aGk=' },
  ],
}

/** JSON text in which some numbers are written as JavaScript would not. */
function withOddDigits(record: JsonObject): fc.Arbitrary<string> {
  return fc.constantFrom('', '.0', 'e0').map((suffix) => {
    const numbers = (_: string, value: JsonValue) =>
      typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 1e6 ? `number:${value}${suffix}` : value
    return JSON.stringify(record, numbers).replaceAll(/"number:(-?[\d.e]+)"/g, '$1')
  })
}

const foreign = (dialect: string) =>
  fc
    .constantFrom(...FOREIGN[dialect]!)
    .chain((base) =>
      fc
        .tuple(
          fc.shuffledSubarray(Object.keys(base)),
          fc.dictionary(fc.oneof(fc.constantFrom('x', '__proto__', '7', ...Object.keys(base)), fc.string({ unit: 'binary' })), json, {
            maxKeys: 3,
            noNullPrototype: true,
          }),
        )
        .map(([names, extra]) => Object.fromEntries([...names.map((name) => [name, base[name]!] as const), ...Object.entries(extra)])),
    )
    .chain(withOddDigits)

describe('dialect → event → dialect', () => {
  for (const dialect of readable) {
    it(`${dialect.name}: a foreign record leaves as it came, member order and digits included`, async () => {
      await fc.assert(
        fc.asyncProperty(foreign(dialect.name), async (line) => {
          const { lines } = await write(dialect, read(dialect, line))
          if (dialect.name === 'gantz')
            assert.deepEqual([JSON.parse(lines[0]!), findDigits(lines[0]!)], [JSON.parse(line), findDigits(line)])
          else assert.deepEqual(lines, [line])
        }),
        RUNS,
      )
    })
    it(`${dialect.name}: what is read is an event, whatever the record`, () => {
      fc.assert(
        fc.property(foreign(dialect.name), (line) => {
          const { event_type, ...members } = read(dialect, line)
          assert.equal(typeof event_type, 'string')
          for (const value of Object.values(members)) assert.notEqual(value ?? undefined, undefined)
        }),
        RUNS,
      )
    })
  }
})

test('metadata does not speak for an event: only one that was imported from a dialect leaves as it came', async () => {
  const forged: Event = {
    event_type: 'authorization_decision',
    decision: 'deny',
    tool: 'x',
    metadata: { ext: { pi: { set: { event: 'tool_allowed', decision: 'allowed' } } } },
  }
  const pi = DIALECTS.find(({ name }) => name === 'pi')!
  for (const source of [undefined, { kind: 'sdk', name: 'pi' }, { kind: 'import', name: 'gantz' }]) {
    const { lines } = await write(pi, { ...forged, ...(source && { source }) })
    assert.equal(JSON.parse(lines[0]!).event, 'tool_denied')
  }
})

type Kind = (typeof EVENT_MEMBERS)[string]

/** Events of every type and decision that have the member. */
function samples(place: string, kind: Kind): Event[] {
  const [name, part] = place.split('.') as [string, string?]
  return TELLING_TYPES.flatMap((event_type) =>
    [{}, { decision: 'allow' }, { decision: 'deny' }].flatMap((around) =>
      samplesOf(place, kind).map((value): Event => ({ ...around, [name]: part ? { [part]: value } : value, event_type })),
    ),
  )
}

/** The members that come back without the rest, for some type of event. */
async function nameable(dialect: Dialect): Promise<string[]> {
  const places = Object.entries(EVENT_MEMBERS).flatMap(([name, kind]): (readonly [string, Kind])[] =>
    typeof kind === 'object' && !Array.isArray(kind)
      ? Object.entries(kind).map(([part, inner]) => [`${name}.${part}`, inner])
      : [[name, kind]],
  )
  const found = new Set<string>()
  for (const [place, kind] of places) {
    for (const one of samples(place, kind)) {
      if (found.has(place)) continue
      const [name] = place.split('.') as [string]
      const { lines } = await write(dialect, one)
      const bare = JSON.parse(lines.at(-1)!)
      delete bare.sworn
      delete bare.metadata?.sworn
      const back = withoutExt(read(dialect, JSON.stringify(bare)))
      if (JSON.stringify(back[name]) === JSON.stringify(one[name])) found.add(place)
    }
  }
  return places.map(([place]) => place).filter((place) => found.has(place))
}

for (const dialect of readable) {
  test(`${dialect.name} says it can name exactly what comes back without the rest`, async () => {
    assert.deepEqual(dialect.names, await nameable(dialect))
  })
}
