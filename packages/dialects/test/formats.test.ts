import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { DIALECTS, type Dialect, type Event, MEMBER_PLACES } from '@sworn/dialects'
import { type JsonObject, type JsonValue, toHex, utf8 } from '@sworn/verify'
import { EVENT_MEMBERS } from '@sworn/verify/events'
import { nodePrimitives } from '@sworn/verify/node'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { count, later } from '../../../testkit/src/suite.ts'
import { event, optionsFor, samplesOf, TELLING_TYPES } from './support/events.ts'

const dialect = (name: string): Dialect => DIALECTS.find((one) => one.name === name)!

async function lines(name: string, ...events: readonly Event[]): Promise<string[]> {
  const writer = dialect(name).openWriter(optionsFor(name))
  const out: string[] = [...writer.head]
  for (const one of events) out.push(...(await writer.write(one)).lines)
  return out
}

const stored: Event = {
  event_type: 'authorization_decision',
  event_id: '019a0000-0000-7000-8000-000000000abc',
  timestamp: '2026-03-03T16:32:00.123Z',
  severity: 'warning',
  decision: 'deny',
  tool: 'write_file',
  user: 'alice@example.com',
  agent_id: 'agent-abc123',
  session_id: 's-1',
  reason: 'tool not in allowed_tools',
  duration_ms: 1.5,
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  arguments: { path: '/etc/config.yaml' },
  team: 'red',
  seq: 7,
  entry_hash: 'ab'.repeat(32),
}

describe('one event is one line, whatever it holds', () => {
  for (const { name } of DIALECTS) {
    if (name === 'aat') continue // a session that does not begin with session_start gets a genesis record
    it(name, async () => {
      await fc.assert(
        fc.asyncProperty(event, async (one) => {
          const out = (await lines(name, one)).slice(name === 'csv' ? 1 : 0)
          assert.equal(out.length, 1)
          assert.doesNotMatch(out[0]!, /[\n\r]/)
        }),
        { numRuns: count({ fast: 20, ci: 100, full: 1000 }) },
      )
    })
  }
})

/** Keys and values of a CEF extension, by the standard's own rule: a key is a word before an unescaped `=`. */
function parseCef(line: string): { header: string[]; keys: Map<string, string> } {
  const parts = line.split(/(?<!\\)(?:\\\\)*\|/)
  const keys = new Map<string, string>()
  const extension = parts.slice(7).join('|')
  for (const match of extension.matchAll(/(?:^| )([A-Za-z0-9]+)=((?:\\.|[^=\\])*?)(?=(?: [A-Za-z0-9]+=)|$)/g))
    keys.set(match[1]!, match[2]!)
  return { header: parts.slice(0, 7), keys }
}

describe('cef', () => {
  it('says who, what and the decision, and where the entry is', async () => {
    const { header, keys } = parseCef((await lines('cef', stored))[0]!)
    assert.deepEqual(header, ['CEF:0', 'sworn', 'sworn', '0.1.0', 'authorization_decision', 'authorization decision write_file deny', '6'])
    assert.equal(keys.get('act'), 'deny')
    assert.equal(keys.get('suser'), 'alice@example.com')
    assert.equal(keys.get('cn1'), '7')
    assert.equal(keys.get('cs1'), 'ab'.repeat(32))
    assert.equal(keys.get('outcome'), 'failure')
  })
  it('no text of an event adds a key, a header field or a line', async () => {
    const hostile = fc.string({ unit: fc.constantFrom('=', '|', '\\', ' ', 'a', '\n', '\r', '\u2028', '\t'), maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (tool, reason) => {
        const [line] = await lines('cef', { event_type: 'tool_call_end', tool: `t${tool}`, reason: `r${reason}` })
        const { header, keys } = parseCef(line!)
        assert.equal(header.length, 7)
        assert.deepEqual([...keys.keys()], ['outcome', 'request', 'reason'])
      }),
    )
  })
})

test('leef: tabs and line breaks in values neither add an attribute nor a line', async () => {
  const [line] = await lines('leef', { ...stored, reason: 'a\tusrName=mallory\nLEEF:2.0|x' })
  const [header, attributes] = [line!.split('|').slice(0, 6), line!.split('|').slice(6).join('|').split('\t')]
  assert.deepEqual(header, ['LEEF:2.0', 'sworn', 'sworn', '0.1.0', 'authorization_decision', 'x09'])
  assert.equal(attributes.filter((pair) => pair.startsWith('usrName=')).length, 1)
  assert.ok(attributes.includes('usrName=alice@example.com'))
})

test('csv: no cell runs as a formula, and every cell comes back', async () => {
  const [head, row] = await lines('csv', {
    event_type: 'x',
    user: '=HYPERLINK("http://x")',
    tool: '@SUM(1)',
    reason: 'a,"b"\nc',
    duration_ms: -1,
  })
  const cells = [...`,${row!}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) => match[1]?.replaceAll('""', '"') ?? match[2]!)
  const cell = (name: string) => cells[head!.split(',').indexOf(name)]
  assert.equal(cell('user'), `'=HYPERLINK("http://x")`)
  assert.equal(cell('tool'), "'@SUM(1)")
  assert.equal(cell('reason'), 'a,"b"\\nc')
  assert.equal(cell('duration_ms'), '-1')
})

test('ecs: sequence and hash are the entry’s, and the agent is the service', async () => {
  const out = JSON.parse((await lines('ecs', stored))[0]!)
  assert.equal(out['@timestamp'], stored.timestamp)
  assert.deepEqual([out.event.sequence, out.event.hash, out.event.outcome, out.event.type], [7, stored.entry_hash, 'failure', ['denied']])
  assert.equal(out.service.id, 'agent-abc123')
  assert.equal(out.agent, undefined)
  assert.equal(out.sworn.arguments, '{"path":"/etc/config.yaml"}')
})

test('otlp: GenAI names, 64-bit numbers as text, trace joined', async () => {
  const out = JSON.parse((await lines('otlp', stored))[0]!)
  const [record] = out.resourceLogs[0].scopeLogs[0].logRecords
  const attributes = new Map(record.attributes.map((a: { key: string; value: object }) => [a.key, Object.values(a.value)[0]]))
  assert.deepEqual([record.timeUnixNano, record.severityNumber, record.traceId], ['1772555520123000000', 13, stored.trace_id])
  assert.equal(attributes.get('gen_ai.tool.name'), 'write_file')
  assert.equal(attributes.get('gen_ai.conversation.id'), 's-1')
  assert.equal(attributes.get('sworn.seq'), '7')
  assert.equal(attributes.get('sworn.decision'), 'deny')
})

describe('ocsf', () => {
  const classes: Record<string, number> = {
    authorization_decision: 600399,
    tool_call_end: 600399,
    data_access: 600302,
    dlp_match: 200601,
    security_alert: 200401,
    auth_failure: 300201,
    identity_token_revoked: 300404,
    session_start: 600203,
    config_reloaded: 600299,
  }
  for (const [event_type, type_uid] of Object.entries(classes)) {
    it(`${event_type} is type ${type_uid}, with what its class requires`, async () => {
      const out = JSON.parse((await lines('ocsf', { ...stored, event_type }))[0]!)
      assert.equal(out.type_uid, type_uid)
      assert.equal(out.category_uid, Math.floor(type_uid / 100_000))
      for (const name of ['activity_id', 'time', 'severity_id', 'metadata', 'actor', 'api', 'src_endpoint']) assert.ok(name in out, name)
      if (type_uid < 300_000) assert.ok(out.finding_info.title)
    })
  }
  it('every attestation can be checked without us, and names the event before', async () => {
    const out = (await lines('ocsf', stored, { ...stored, decision: 'allow' }, { ...stored, event_type: 'dlp_match' })).map((line) =>
      JSON.parse(line),
    )
    let previous: JsonValue | undefined
    for (const one of out) {
      const [{ fingerprint, ...covered }] = one.attestation_list
      const bytes = utf8(canonicalize({ ...one, attestation_list: [covered] })!)
      assert.equal(fingerprint.value, toHex(nodePrimitives.hash('sha256', bytes)))
      assert.deepEqual(covered.prev_event?.fingerprint, previous)
      previous = fingerprint
    }
  })
})

/** What is left of a line when the place for the rest is emptied. */
function named(name: string, line: string): string {
  if (name === 'cef' || name === 'leef' || name === 'csv') return line
  const out = JSON.parse(line)
  delete out.attestation_list
  delete out.unmapped
  delete out.sworn
  const records: { attributes: { key: string }[] }[] = out.resourceLogs?.[0].scopeLogs[0].logRecords ?? []
  for (const record of records) record.attributes = record.attributes.filter(({ key }) => !key.startsWith('sworn.'))
  return JSON.stringify(out)
}

/** True when the member shows in a line outside the place for the rest. */
async function isShown(name: string, place: string): Promise<boolean> {
  const [member, part] = place.split('.') as [string, string?]
  const kind = EVENT_MEMBERS[member]!
  const values = samplesOf(place, part ? (kind as Record<string, typeof kind>)[part]! : kind)
  const around: readonly JsonObject[] = [{}, { decision: 'deny', policy_name: 'p' }]
  for (const event_type of TELLING_TYPES) {
    for (const base of around) {
      const bare = named(name, (await lines(name, { ...base, event_type })).at(-1)!)
      if (member === 'event_type') return bare.includes(event_type)
      for (const value of values) {
        const one: Event = { ...base, event_type, [member]: part ? { [part]: value } : value }
        if (named(name, (await lines(name, one)).at(-1)!) !== bare) return true
      }
    }
  }
  return false
}

async function shown(name: string): Promise<string[]> {
  const found: string[] = []
  for (const place of MEMBER_PLACES) if (await isShown(name, place)) found.push(place)
  return found
}

for (const { name, names, openReader } of DIALECTS) {
  if (openReader) continue
  test(`${name} says it can name exactly what shows outside the rest`, { skip: later }, async () => {
    assert.deepEqual(names, await shown(name))
  })
}
