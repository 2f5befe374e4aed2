import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it, test } from 'node:test'
import { DIALECTS, type Event, type ForeignKey, type ForeignReport, findForeignFormat, parseForeignKeys } from '@sworn/dialects'
import { foreignPrimitives } from '@sworn/dialects/node'
import { type JsonObject, toBase64, toHex, utf8 } from '@sworn/verify'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { aegisHashInput } from '../src/codecs/aegis.ts'
import { gantzHashInput } from '../src/codecs/gantz.ts'
import { actaKid } from '../src/foreign/acta.ts'
import { fromBase64Url } from '../src/foreign/keys.ts'
import { jcs } from '../src/jcs.ts'
import { parseNative } from '../src/native.ts'
import { ed25519Signer, es256Signer, event, optionsFor } from './support/events.ts'

const hash = (bytes: Uint8Array, name: 'sha256' | 'sha3-256' = 'sha256') => toHex(foreignPrimitives.hash(name, bytes))
const keys: ForeignKey[] = [
  { algorithm: 'Ed25519', publicKey: ed25519Signer.publicKey },
  { algorithm: 'ES256', publicKey: es256Signer.publicKey },
]

async function check(text: string): Promise<ForeignReport> {
  const bytes = utf8(text)
  const format = findForeignFormat(bytes)
  assert.ok(format, 'not recognised')
  return format.check(bytes, { primitives: foreignPrimitives, keys })
}

describe('hashes computed by Python', () => {
  const gantz: [string, string][] = [
    [
      '{"event_id":"00000000-0000-4000-8000-000000000001","event_type":"tool_call_start","timestamp":1763164800.5,"action":"search_database","parameters":{"query":"SELECT 1","limit":10},"previous_hash":null}',
      '26611f2b94eec6c48d2fbd94c91bb58915bfd7009c1a344811b4547fb1b54598',
    ],
    [
      '{"event_id":"00000000-0000-4000-8000-000000000002","event_type":"tool_call_end","timestamp":1763164801.0,"action":"search_database","parameters":{"q":"café"},"previous_hash":"26611f2b94eec6c48d2fbd94c91bb58915bfd7009c1a344811b4547fb1b54598"}',
      '729726c3c16ef8899a35dd90a79e00e1b60ae6e2af4dd08012d8f262c77104ff',
    ],
  ]
  for (const [line, expected] of gantz) {
    it(`gantz ${expected.slice(0, 12)}`, () => {
      const { value, digits } = parseNative(line)
      assert.equal(hash(gantzHashInput(value, digits)), expected)
    })
  }
  const first =
    '{"sequence_id":0,"timestamp":"2026-03-29T10:30:00+00:00","agent_id":"sales-agent","action_type":"update_deal","action_target":"salesforce","decision":"auto","risk_level":"medium","matched_rule":"approve_crm_writes","metadata":{"deal_id":"DEAL-001","amount":50000},"previous_hash":"0000000000000000000000000000000000000000000000000000000000000000"}'
  it('aegis, SHA-256 and SHA3-256', () => {
    const { value, digits } = parseNative(first)
    assert.equal(hash(aegisHashInput(value, digits)), 'f51317292123da5eb412d2244e90ada8ad4e5722268c0e24dc0cbd5b696607c6')
    assert.equal(hash(aegisHashInput(value, digits), 'sha3-256'), 'a075ce9eef22d100a7ba511b9f9b05fa35552ade7113e412e78fc0a15f7d9f41')
  })
})

/** The seed's own verification, as it stands in its step 5. */
const GANTZ_VERIFIER = `
import json, hashlib, sys
previous, broken = None, []
for number, line in enumerate(sys.stdin, 1):
    e = json.loads(line)
    content = json.dumps({k: e[k] for k in ("event_id", "event_type", "timestamp", "action", "parameters")} | {"previous_hash": previous}, sort_keys=True)
    if e["previous_hash"] != previous or e["event_hash"] != hashlib.sha256(content.encode()).hexdigest(): broken.append(number)
    previous = e["event_hash"]
print(json.dumps(broken))
`
const AEGIS_VERIFIER = `
import json, hashlib, sys
previous, broken = "0" * 64, []
names = "sequence_id timestamp agent_id action_type action_target decision risk_level matched_rule metadata previous_hash".split()
for number, line in enumerate(sys.stdin, 1):
    e = json.loads(line)
    canonical = json.dumps({n: e[n] for n in names}, sort_keys=True, separators=(",", ":"))
    if e["previous_hash"] != previous or e["entry_hash"] != hashlib.sha256((canonical + previous).encode()).hexdigest(): broken.append(number)
    previous = e["entry_hash"]
print(json.dumps(broken))
`
const python = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not here'
if (python) console.error(`SKIPPED: ${python}`)

/** As the ledger has them: with a time. */
async function write(name: string, events: readonly Event[]): Promise<string[]> {
  const writer = DIALECTS.find((dialect) => dialect.name === name)!.openWriter(optionsFor(name))
  const lines: string[] = []
  for (const one of events) lines.push(...(await writer.write({ timestamp: '2026-03-03T16:32:00.000Z', ...one })).lines)
  return lines
}

for (const [name, program] of Object.entries({ gantz: GANTZ_VERIFIER, aegis: AEGIS_VERIFIER })) {
  test(`${name}: Python’s own verifier accepts what we write, numbers and astral characters included`, { skip: python }, async () => {
    const odd = [0.1, 1e-7, 1e21, -1.5e300, 5e-324, 123456789012345680000, -0.00001234].map(
      (n, i): Event => ({ event_type: 'tool_call_end', arguments: { n, '\ue000': i, '\u{1f600}': 'é\u007f\u2028' }, metadata: { n } }),
    )
    const events = [...fc.sample(event, { numRuns: 200, seed: 7 }), ...odd]
    const { stdout, stderr } = spawnSync('python3', ['-c', program], {
      input: `${(await write(name, events)).join('\n')}\n`,
      encoding: 'utf8',
    })
    assert.equal(stderr, '')
    assert.equal(stdout, '[]\n')
  })
}

const CHAINED = ['gantz', 'aegis', 'aat', 'sahu', 'ocsf']
const tools = fc.array(
  fc.record({
    event_type: fc.constantFrom('tool_call_end', 'authorization_decision'),
    tool: fc.string({ minLength: 1, unit: 'binary' }),
    event_id: fc.uuid({ version: 7 }),
    session_id: fc.constant('s'),
    decision: fc.constant('allow'),
  }),
  { minLength: 3, maxLength: 6 },
)

describe('what we write, our check accepts; what was changed, it finds', () => {
  for (const name of CHAINED) {
    it(`${name}: the chain holds for any events`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 4 }), async (events) => {
          const unique = events.map((one, i) => ({ ...one, event_id: `019a0000-0000-7000-8000-${String(i).padStart(12, '0')}` }))
          const report = await check((await write(name, unique)).join('\n'))
          assert.deepEqual(report.findings, [])
          assert.equal(report.claims.chain.holds, true)
          if (name === 'aat' || name === 'sahu') assert.equal(report.claims.signed.holds, true)
        }),
        { numRuns: count({ fast: 10, ci: 50, full: 500 }) },
      )
    })
    it(`${name}: a changed tool, a removed record and two that changed places are found`, async () => {
      await fc.assert(
        fc.asyncProperty(tools, fc.nat(), async (events, n) => {
          const lines = await write(name, events)
          const victim = 1 + (n % (lines.length - 2)) // neither the first nor the last
          const swapped = lines.with(victim, lines[victim + 1]!).with(victim + 1, lines[victim]!)
          const edited = lines.with(
            victim,
            lines[victim]!.replace(/"(action|action_type|tool_name|action_id|operation)":( ?)"/, '"$1":$2"x'),
          )
          assert.notEqual(edited[victim], lines[victim])
          for (const tampered of [edited, lines.toSpliced(victim, 1), swapped]) {
            const report = await check(tampered.join('\n'))
            assert.equal(report.claims.chain.holds, false, JSON.stringify(report.findings))
          }
        }),
        { numRuns: count({ fast: 6, ci: 30, full: 300 }) },
      )
    })
    it(`${name}: a cut end is not found by the chain alone, and the report says so`, async () => {
      const lines = await write(name, fc.sample(tools, { numRuns: 1, seed: 3 })[0]!)
      const report = await check(lines.slice(0, -1).join('\n'))
      assert.equal(report.claims.chain.holds, true)
      assert.equal(report.claims.complete.holds, false)
      assert.match(report.cannot.join(' '), /end|cut/)
    })
  }
})

test('an AAT session that ends is complete, and not when its close is gone or altered', async () => {
  const session = ['session_start', 'tool_call_start', 'tool_call_end', 'session_end'].map(
    (event_type, i): Event => ({
      event_type,
      event_id: `019a0000-0000-7000-8000-00000000000${i}`,
      session_id: 's',
      timestamp: `2026-03-03T16:32:0${i}.000Z`,
    }),
  )
  const lines = await write('aat', session)
  assert.equal((await check(lines.join('\n'))).claims.complete.holds, true)
  assert.equal((await check(lines.slice(0, -1).join('\n'))).claims.complete.holds, false)
  const report = await check(lines.with(3, lines[3]!.replace('"record_count":4', '"record_count":3')).join('\n'))
  assert.deepEqual(report.findings.map((f) => f.class).sort(), ['head_mismatch', 'signature_invalid'])
})

describe('ACTA', () => {
  const kid = actaKid(ed25519Signer.publicKey)
  async function chain(count: number): Promise<JsonObject[]> {
    const envelopes: JsonObject[] = []
    for (let i = 0; i < count; i++) {
      const previous = envelopes.at(-1)
      const payload: JsonObject = {
        type: 'decision',
        issued_at: `2026-03-03T16:32:0${i}Z`,
        issuer_id: kid,
        tool_name: 'x',
        decision: 'allow',
        ...(previous && { previousReceiptHash: hash(jcs(previous)) }),
      }
      envelopes.push({ payload, signature: { alg: 'EdDSA', kid, sig: toHex(await ed25519Signer.sign(jcs(payload))) } })
    }
    return envelopes
  }
  const log = (envelopes: readonly JsonObject[]) => envelopes.map((envelope) => `${JSON.stringify(envelope)}\n`).join('')
  it('a chain holds, signed by the key that its kid names', async () => {
    const report = await check(log(await chain(3)))
    assert.deepEqual(report.findings, [])
    assert.deepEqual([report.claims.chain.holds, report.claims.signed.holds, report.claims.complete.possible], [true, true, false])
  })
  it('a changed decision, a removed receipt and a cut beginning are found', async () => {
    const envelopes = await chain(3)
    const changed = JSON.parse(JSON.stringify(envelopes).replace('allow', 'deny'))
    for (const tampered of [changed, envelopes.toSpliced(1, 1), envelopes.slice(1)])
      assert.ok((await check(log(tampered))).findings.length > 0)
  })
})

describe('keys', () => {
  const pem = (der: Uint8Array) => `-----BEGIN PUBLIC KEY-----\n${toBase64(der)}\n-----END PUBLIC KEY-----\n`
  it('a key of small order verifies nothing', async () => {
    const weak = `${pem(Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(`01${'00'.repeat(31)}`, 'hex')]))}`
    const [line] = await write('sahu', [{ event_type: 'tool_call_end', tool: 'x', event_id: '019a0000-0000-7000-8000-000000000abc' }])
    const forged = { ...JSON.parse(line!), public_key: `01${'00'.repeat(31)}`, signature: `01${'00'.repeat(63)}` }
    const report = await findForeignFormat(utf8(line!))!.check(utf8(JSON.stringify(forged)), {
      primitives: foreignPrimitives,
      keys: parseForeignKeys(weak),
    })
    assert.ok(report.findings.some((f) => f.class === 'signature_invalid'))
  })
  for (const text of ['', 'x', '{}x', '{"kty":"RSA","n":"AQAB","e":"AQAB"}', pem(Buffer.alloc(44)), '{"a":7}', '["a"]']) {
    it(`refused: ${JSON.stringify(text.slice(0, 40))}`, () => assert.throws(() => parseForeignKeys(text), { code: 'KEY_INVALID' }))
  }
  it('base64url has one text for one value', () => {
    assert.deepEqual(fromBase64Url('AQ'), Uint8Array.of(1))
    for (const text of ['AR', 'A', 'AQ==', 'A+', undefined]) assert.equal(fromBase64Url(text), undefined)
  })
})

test('no check throws, whatever the bytes; no finding repeats them', async () => {
  const names = [
    'event_id',
    'event_hash',
    'parameters',
    'sequence_id',
    'entry_hash',
    'action_type',
    'record_id',
    'record_phase',
    'action_detail',
    'step_id',
    'action_id',
    'ts_ms',
    'spec',
    'credentialSubject',
    'proof',
    'row_hash',
    'cost_cents',
    'payload',
    'signature',
    'class_uid',
    'attestation_list',
    'chain',
    'sig',
    'session_id',
    'batch',
  ]
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('noa.receipt/0.1', 'SECRET-VALUE'),
    fc.constantFrom({ toString: {} }, [{ valueOf: 1, toString: 1 }]), // JavaScript makes no text of them
    fc.dictionary(fc.constantFrom(...names, 'inclusion_proof', 'kid', 'alg'), fc.jsonValue({ maxDepth: 2 })),
  )
  const record = fc.dictionary(fc.constantFrom(...names), value, { minKeys: 3 })
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 3 }), async (records) => {
      const bytes = utf8(records.map((one) => JSON.stringify(one)).join('\n'))
      const format = findForeignFormat(bytes)
      if (!format) return
      const report = await format.check(bytes, { primitives: foreignPrimitives, keys })
      assert.doesNotMatch(JSON.stringify(report), /SECRET-VALUE/)
    }),
    { numRuns: count({ fast: 100, ci: 500, full: 5000 }) },
  )
})

test('our own ledger and unknown files are nobody’s', () => {
  for (const text of [
    '',
    'x',
    '{"a":1}',
    '[]',
    '{"timestamp":"2026-03-03T16:32:00.000Z","event_type":"x","event_id":"1","seq":0,"previous_hash":"00","entry_hash":"00"}\n',
  ])
    assert.equal(findForeignFormat(utf8(text)), undefined)
})
