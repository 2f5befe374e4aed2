/** What a foreign log refers to and does not hold, given beside it: statements, roots, grants, digests, parameters. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  checkAegisRows,
  type ForeignKey,
  type ForeignOptions,
  type ForeignReport,
  findForeignFormat,
  parseForeignKeys,
} from '@sworn/dialects'
import { foreignPrimitives } from '@sworn/dialects/node'
import { SwornError, toHex, utf8 } from '@sworn/verify'
import { encode } from 'cborg'
import fc from 'fast-check'
import { absent, vector, vectorJson } from './support/vectors.ts'

function check(bytes: Uint8Array, options: Partial<ForeignOptions> = {}): Promise<ForeignReport> {
  const found = findForeignFormat(bytes)
  assert.ok(found, 'the format was not recognised')
  return found.check(bytes, { primitives: foreignPrimitives, ...options })
}

const classes = ({ findings }: ForeignReport) => findings.map((f) => f.class)
const json = (value: unknown) => utf8(JSON.stringify(value))
const isUsage = (e: unknown) => SwornError.is(e, 'USAGE')
const SET = [true, true]

// RFC 9162 §2.1, as it is written there.
const sha = (...parts: readonly Uint8Array[]) => Uint8Array.from(createHash('sha256').update(Buffer.concat(parts)).digest())
const split = (n: number) => 2 ** Math.floor(Math.log2(n - 1))
const hashLeaf = (entry: Uint8Array) => sha(Uint8Array.of(0), entry)
function mth(d: readonly Uint8Array[]): Uint8Array {
  if (d.length === 1) return hashLeaf(d[0]!)
  return sha(Uint8Array.of(1), mth(d.slice(0, split(d.length))), mth(d.slice(split(d.length))))
}
function path(m: number, d: readonly Uint8Array[]): Uint8Array[] {
  if (d.length === 1) return []
  const k = split(d.length)
  return m < k ? [...path(m, d.slice(0, k)), mth(d.slice(k))] : [...path(m - k, d.slice(k)), mth(d.slice(0, k))]
}
function subproof(m: number, d: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (m === d.length) return whole ? [] : [mth(d)]
  const k = split(d.length)
  return m <= k ? [...subproof(m, d.slice(0, k), whole), mth(d.slice(k))] : [...subproof(m - k, d.slice(k), false), mth(d.slice(0, k))]
}

interface Service {
  readonly key: ForeignKey
  readonly alg: number
  readonly kid: string
  readonly privateKey: KeyObject
}

function createService(algorithm: ForeignKey['algorithm'], kid: string): Service {
  const pair = algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519', {})
  const [key] = parseForeignKeys(pair.publicKey.export({ type: 'spki', format: 'pem' }).toString())
  return { key: { ...key!, id: kid }, alg: algorithm === 'ES256' ? -7 : -19, kid, privateKey: pair.privateKey }
}

/** A COSE_Sign1; `payload` is signed, and held unless it is detached. */
function sign1(
  { alg, kid, privateKey }: Service,
  headers: readonly [number, unknown][],
  unprotected: Map<number, unknown>,
  payload: Uint8Array,
  detached = false,
) {
  const protectedBytes = encode(new Map<number, unknown>([[1, alg], [4, utf8(kid)], ...headers]))
  const message = encode(['Signature1', protectedBytes, new Uint8Array(), payload])
  const signature = sign(alg === -7 ? 'sha256' : null, message, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return Uint8Array.from([0xd2, ...encode([protectedBytes, unprotected, detached ? null : payload, Uint8Array.from(signature)])])
}

const receiptOf = (service: Service, kind: -1 | -2, proof: unknown[], root: Uint8Array, attached = false) =>
  sign1(service, [[395, 1]], new Map([[396, new Map([[kind, [encode(proof)]]])]]), root, !attached)

const inclusion = (service: Service, entries: readonly Uint8Array[], at: number, attached = false) =>
  receiptOf(service, -1, [entries.length, at, path(at, entries)], mth(entries), attached)

const shown = ({ claims }: ForeignReport) => [claims.tree.holds, claims.signed.holds]

describe('COSE receipts of RFC 9942', () => {
  const services = [createService('ES256', 'log-1'), createService('Ed25519', 'log-2')]
  const entriesOf = (count: number) => Array.from({ length: count }, (_, i) => utf8(`statement ${i}`))

  it('any entry of a tree of any size is shown under the service’s key, and no other entry, place or key is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.nat(), fc.boolean(), async (count, n, m, attached) => {
        const entries = entriesOf(count)
        const [at, other] = [n % count, m % count]
        const service = services[n % 2]!
        const receipt = inclusion(service, entries, at, attached)
        const report = await check(receipt, { keys: [service.key], inputs: [entries[at]!] })
        assert.deepEqual([shown(report), report.findings], [SET, []])
        const stranger = await check(receipt, {
          keys: [{ ...createService(service.key.algorithm, service.kid).key }],
          inputs: [entries[at]!],
        })
        assert.deepEqual([shown(stranger), classes(stranger)], [[false, false], ['proof_invalid']])
        if (other === at) return
        const wrong = await check(receipt, { keys: [service.key], inputs: [entries[other]!] })
        assert.deepEqual([shown(wrong), classes(wrong)], [[false, false], ['proof_invalid']])
        const moved = receiptOf(service, -1, [count, other, path(at, entries)], mth(entries))
        assert.deepEqual(shown(await check(moved, { keys: [service.key], inputs: [entries[at]!] })), [false, false])
      }),
      { numRuns: 40 },
    )
  })
  it('an earlier root, as bytes or as hex digits, is shown to be a prefix; another one is not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.boolean(), async (count, n, asText) => {
        const entries = entriesOf(count)
        const size = (n % count) + 1
        const service = services[n % 2]!
        const receipt = receiptOf(service, -2, [size, count, subproof(size, entries, true)], mth(entries))
        const earlier = mth(entries.slice(0, size))
        const given = asText ? utf8(`${toHex(earlier)}\n`) : earlier
        assert.deepEqual(shown(await check(receipt, { keys: [service.key], inputs: [given] })), SET)
        assert.deepEqual(shown(await check(receipt, { keys: [service.key], inputs: [sha(earlier)] })), [false, false])
      }),
      { numRuns: 40 },
    )
  })
  it('what is missing is named, with the way to give it', async () => {
    const [service] = services
    const entries = entriesOf(5)
    const receipt = inclusion(service!, entries, 3)
    assert.match(
      (await check(receipt)).claims.tree.detail,
      /the statement was not given: --input FILE.*; nor the key of the service: --key/,
    )
    assert.match((await check(receipt, { keys: [service!.key] })).claims.tree.detail, /^the statement was not given: --input FILE/)
    assert.match((await check(receipt, { inputs: [entries[3]!] })).claims.signed.detail, /^the key of the service was not given: --key/)
    const consistency = receiptOf(service!, -2, [3, 5, subproof(3, entries, true)], mth(entries))
    assert.match((await check(consistency)).claims.tree.detail, /^the earlier root was not given: --input FILE, 32 bytes or 64 hex digits/)
    const other = await check(receipt, { keys: [{ ...service!.key, id: 'log-9' }], inputs: [entries[3]!] })
    assert.deepEqual(classes(other), ['key_unknown'])
  })
  it('a receipt over another root than its proof leads to, or of another algorithm, shows nothing', async () => {
    const [service] = services
    const entries = entriesOf(5)
    const forged = receiptOf(service!, -1, [5, 3, path(3, entries)], sha(utf8('x')), true)
    assert.deepEqual(classes(await check(forged, { keys: [service!.key], inputs: [entries[3]!] })), ['proof_invalid'])
    const unknown = sign1(
      { ...service!, alg: -7777 },
      [[395, 1]],
      new Map([[396, new Map([[-1, [encode([1, 0, []])]]])]]),
      mth([entries[0]!]),
      true,
    )
    assert.ok(classes(await check(unknown, { keys: [service!.key], inputs: [entries[0]!] })).includes('malformed'))
  })
  it('the receipts that a statement carries are checked against the statement itself', async () => {
    const sender = createService('Ed25519', 'sender')
    const payload = utf8('{"hello":"world"}')
    const bare = sign1(sender, [], new Map(), payload)
    const entries = [utf8('before'), bare, utf8('after')]
    const carried = services.map((service) => inclusion(service, entries, 1))
    const statement = sign1(sender, [], new Map([[394, carried]]), payload)
    const keys = [sender.key, ...services.map(({ key }) => key)]
    const report = await check(statement, { keys })
    assert.deepEqual([shown(report), report.findings, report.claims.tree.detail], [SET, [], 'by 2 of 2 receipts'])
    const half = await check(statement, { keys: keys.slice(0, 2) })
    assert.deepEqual([shown(half), half.claims.tree.detail], [[false, true], 'by 1 of 2 receipts'])
    assert.match(half.cannot.join(' '), /--key/)
    const foreign = sign1(sender, [], new Map([[394, carried]]), utf8('{"hello":"mallory"}'))
    assert.deepEqual(classes(await check(foreign, { keys })), ['proof_invalid', 'proof_invalid'])
    const alone = await check(statement, { keys: [{ algorithm: 'Ed25519', publicKey: sender.key.publicKey }] })
    assert.deepEqual([shown(alone), alone.findings], [[false, true], []])
  })
  it('a detached payload is given as an input; one that nothing asks for is refused', async () => {
    const sender = createService('Ed25519', 'sender')
    const payload = utf8('a large artifact')
    const statement = sign1(sender, [], new Map(), payload, true)
    const keys = [sender.key]
    assert.equal((await check(statement, { keys, inputs: [payload] })).claims.signed.holds, true)
    assert.deepEqual(classes(await check(statement, { keys, inputs: [utf8('another')] })), ['signature_invalid'])
    const missing = await check(statement, { keys })
    assert.deepEqual([missing.claims.signed.holds, missing.findings], [false, []])
    assert.match(missing.claims.signed.detail, /detached and was not given: --input FILE/)
    await assert.rejects(check(sign1(sender, [], new Map(), payload), { keys, inputs: [payload] }), isUsage)
  })
  it('a hostile receipt ends in findings: no proof, too many, a path that is too long', async () => {
    const [service] = services
    const hostile = [
      new Map(),
      new Map([[-1, []]]),
      new Map([[-1, Array.from({ length: 65 }, () => encode([1, 0, []]))]]),
      new Map([[-1, [encode([2 ** 40, 1, Array.from({ length: 65 }, () => new Uint8Array(32))])]]]),
      new Map([[-1, [encode([1, 0, [new Uint8Array(31)]])]]]),
      new Map([[-2, [encode([0, 1, []])]]]),
    ]
    for (const proofs of hostile) {
      const receipt = sign1(service!, [[395, 1]], new Map([[396, proofs]]), mth([utf8('x')]), true)
      const report = await check(receipt, { keys: [service!.key], inputs: [utf8('x')] })
      assert.deepEqual([classes(report)[0], report.claims.bytes.holds], ['malformed', false])
    }
  })
})

describe('NOA grants and action digests', { skip: absent }, () => {
  interface Context {
    chain: unknown[]
    grant: Record<string, unknown>
    keyring?: Record<string, string>
    expect?: object
  }
  interface Case {
    name: string
    claim?: object
    claimText?: string
    context?: Context
    contextText?: string
    expect: { ok: boolean; reasonContains?: string }
  }
  const { vectors } = absent ? { vectors: [] } : vectorJson<{ vectors: Case[] }>('noa/conformance/action-digest/vectors.json')
  const verify = ({ claim, claimText, context }: Case) => {
    const { chain, grant, keyring, expect } = context!
    const inputs = [json(grant), claimText === undefined ? json(claim) : utf8(claimText), ...(expect ? [json(expect)] : [])]
    return check(json(chain), { inputs, keys: keyring ? parseForeignKeys(JSON.stringify(keyring)) : [] })
  }
  /** Refusals that are the relying party's own to mend, before anything is checked. */
  const refused = [
    'keyring-absent',
    'expectation-absent',
    'blank-tenant',
    'padded-tenant',
    'oversized-tenant-names-its-own-reason',
    'malformed-claim-bytes',
  ]
  const found: Record<string, string> = {
    'blocked-receipt': 'incoherent',
    'deferred-receipt': 'incoherent',
    attribution_substituted_for_authorization: 'incoherent',
    'grant-sig-extra-property': 'malformed',
    'unauthentic-receipt': 'signature_invalid',
    'unauthentic-grant': 'signature_invalid',
    'swapped-digest': 'hash_mismatch',
    'cross-tenant-replay': 'hash_mismatch',
    'cross-tenant-expectation': 'splice',
    'cross-chain-replay': 'hash_mismatch',
    'cross-chain-expectation': 'splice',
    'retry-identical-params': 'hash_mismatch',
    'retry-digest-is-distinct': 'hash_mismatch',
    'action-fields-transposed': 'hash_mismatch',
    'truncated-digest': 'hash_mismatch',
    'uppercase-digest': 'hash_mismatch',
    'wrong-domain-tag': 'hash_mismatch',
    'no-domain-tag': 'hash_mismatch',
    'claim-spec-version': 'malformed',
    'grant-for-another-receipt': 'link_mismatch',
    'grant-params-mismatch': 'link_mismatch',
    'tenant-absent': 'malformed',
    'receipt-edited-after-hashing': 'hash_mismatch',
    'grant-extra-property': 'malformed',
    'grant-nonce-not-hex64': 'malformed',
    'grant-multi-use': 'malformed',
  }
  for (const vector of vectors.filter(({ context }) => context)) {
    const name = vector.name.replace('reject-', '')
    it(`${vector.name}: ${vector.expect.ok ? 'holds' : (found[name] ?? 'refused')}`, async () => {
      if (refused.includes(name)) return assert.rejects(verify(vector), isUsage)
      const report = await verify(vector)
      if (vector.expect.ok) {
        assert.deepEqual([report.findings, report.claims.chain.holds, report.claims.signed.holds], [[], true, true])
        return assert.match(report.claims.chain.detail, /the action digest is of receipt 1 and its grant/)
      }
      assert.ok(
        classes(report).some((name_) => name_ === found[name]),
        JSON.stringify(report.findings),
      )
      assert.ok(!report.claims.signed.holds || !report.claims.chain.holds)
    })
  }
  for (const vector of vectors.filter(({ contextText }) => contextText !== undefined)) {
    it(`${vector.name}: no chain, and refused as an input`, async () => {
      assert.equal(findForeignFormat(utf8(vector.contextText!)), undefined)
      const { context } = vectors.find(({ expect }) => expect.ok)!
      await assert.rejects(check(json(context!.chain), { inputs: [json(vector.claim), utf8(vector.contextText!)] }), isUsage)
    })
  }
  it('no vector is left out', () => {
    const run = vectors.filter(({ context, contextText }) => context || contextText !== undefined)
    assert.equal(run.length, vectors.length)
    assert.equal(vectors.filter(({ context, expect }) => context && !expect.ok).length, refused.length + Object.keys(found).length)
  })
  it('a grant alone is checked: form, signature, receipt; what is not given is named', async () => {
    const { chain, grant, keyring } = vectors[0]!.context!
    const keys = parseForeignKeys(JSON.stringify(keyring))
    const report = await check(json(chain), { keys, inputs: [json(grant)] })
    assert.deepEqual([report.findings, report.claims.signed.holds], [[], true])
    assert.match(report.claims.chain.detail, /the grant is for receipt 1/)
    assert.match(report.cannot.join(' '), /An action digest lies elsewhere: give it with --input/)
    assert.match((await check(json(chain), { keys })).cannot.join(' '), /Grants and action digests lie elsewhere: give them with --input/)
    await assert.rejects(check(json(chain), { keys, inputs: [json(grant), json({ ...grant, grantId: 'another' })] }), isUsage)
    const stranger = await check(json(chain), { keys, inputs: [json({ ...grant, sig: { ...(grant.sig as object), kid: 'x' } })] })
    assert.deepEqual(classes(stranger), ['key_unknown'])
  })
  it('an identity manifest as an input binds agents to their keys', async () => {
    const folder = 'noa/conformance/golden/0.3.0/identity'
    const keys = parseForeignKeys(vector(`${folder}/keyring.json`).toString('utf8'))
    const inputs = [vector(`${folder}/manifest.json`)]
    assert.deepEqual(classes(await check(vector(`${folder}/chain.json`), { keys, inputs })), [])
    assert.deepEqual(classes(await check(vector(`${folder}/impersonation-chain.json`), { keys, inputs })), ['key_unauthorized'])
    await assert.rejects(check(vector(`${folder}/chain.json`), { keys, inputs: [json({ some: 'thing' })] }), isUsage)
  })
})

describe('parameters of agent receipts', () => {
  const parameters = { command: 'echo "build complete"', é: [1, 2.5] }
  const receipt = (hash: string) => ({
    type: ['VerifiableCredential', 'AgentReceipt'],
    credentialSubject: {
      action: { parameters_hash: hash },
      outcome: { status: 'success' },
      chain: { sequence: 1, previous_receipt_hash: null },
      principal: { id: 'x' },
    },
    proof: { type: 'Ed25519Signature2020', proofValue: `u${'A'.repeat(86)}` },
  })
  const hash = `sha256:${toHex(sha(utf8('{"command":"echo \\"build complete\\"","é":[1,2.5]}')))}`
  it('those that were hashed are told from others, however they are written', async () => {
    const given = utf8(JSON.stringify(parameters, null, 2))
    const report = await check(json(receipt(hash)), { inputs: [given] })
    assert.deepEqual(classes(report), [])
    assert.match(report.claims.chain.detail, /the parameters you gave are hashed here/)
    assert.deepEqual(classes(await check(json(receipt(hash)), { inputs: [json({ command: 'rm -rf /' })] })), ['hash_mismatch'])
    await assert.rejects(check(json(receipt(hash)), { inputs: [utf8('{')] }), isUsage)
    assert.match((await check(json(receipt(hash)))).cannot.join(' '), /give what they were as JSON with --input/)
  })
})

describe('rows of Aegis', () => {
  const row = (id: unknown) => ({ id, action_type: 'read', result_status: 'success', human_decision: null })
  const rows = (...list: readonly object[]) => utf8(list.map((one) => `${JSON.stringify(one)}\n`).join(''))
  it('the numbering is told, missing rows and those above the last one; nothing is claimed of the chain', async () => {
    const report = await check(rows(row(1), row(2), row(5)))
    assert.deepEqual([report.format, report.findings, report.claims.bytes.holds], ['aegis-rows', [], true])
    assert.match(report.claims.bytes.detail, /3 rows numbered up to 5, 2 between them missing/)
    assert.deepEqual([report.claims.chain.possible, report.claims.signed.possible, report.claims.complete.possible], [false, false, false])
    const cut = await checkAegisRows(rows(row(1)), { primitives: foreignPrimitives }, 4)
    assert.match(cut.claims.bytes.detail, /the table gave 3 more, which are not there/)
  })
  it('a number twice, none, or a column that Aegis does not have is a finding', async () => {
    for (const [bytes, expected] of [
      [rows(row(1), row(1)), 'seq_repeat'],
      [rows(row(1), row('2')), 'malformed'],
      [rows({ ...row(1), smuggled: 1 }), 'malformed'],
    ] as const)
      assert.deepEqual(classes(await check(bytes)), [expected])
  })
})
