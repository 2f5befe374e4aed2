import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import {
  ALL_FOREIGN_FORMATS,
  checkAivs,
  type ForeignKey,
  type ForeignOptions,
  type ForeignReport,
  findForeignFormat,
  parseForeignKeys,
} from '@sworn/dialects'
import { foreignPrimitives } from '@sworn/dialects/node'
import { parseHex, text, toHex, utf8 } from '@sworn/verify'
import { agentReceiptBytes } from '../src/foreign/agent-receipts.ts'
import { didKey } from '../src/foreign/keys.ts'
import { jcs } from '../src/jcs.ts'
import { absent, allVectors, seen, vector, vectorJson } from './support/vectors.ts'

type Receipt = Parameters<typeof agentReceiptBytes>[0]

function check(bytes: Uint8Array, options: Partial<ForeignOptions> = {}, format?: string): Promise<ForeignReport> {
  const found = format ? ALL_FOREIGN_FORMATS.find(({ name }) => name === format) : findForeignFormat(bytes)
  assert.ok(found, 'the format was not recognised')
  return found.check(bytes, { primitives: foreignPrimitives, ...options })
}

const at = (report: ForeignReport, name: string) => report.findings.filter((f) => f.class === name).flatMap((f) => f.record ?? [])
const first = (report: ForeignReport, ...names: string[]) => names.flatMap((name) => at(report, name)).toSorted((a, b) => a - b)[0] ?? null
const ed25519 = (hex: string, id?: string): ForeignKey => ({
  algorithm: 'Ed25519',
  publicKey: parseHex(hex),
  ...(id !== undefined && { id }),
})

interface ChainCase {
  file: string
  expect: {
    sig_failures: number[]
    chain_break: number | null
    step_id_repeat: number | null
    seq_gap: number | null
    seq_repeat: number | null
  }
}

describe('sahu: agent action receipts', { skip: absent }, () => {
  const manifest = absent
    ? { vectors: [], head_vectors: [], test_public_key: '' }
    : vectorJson<{ vectors: ChainCase[]; head_vectors: { file: string; log: string; expect: string }[]; test_public_key: string }>(
        'sahu/manifest.json',
      )
  for (const { file, expect } of manifest.vectors) {
    it(file, async () => {
      const report = await check(vector(`sahu/vectors/${file}`))
      const found = {
        sig_failures: at(report, 'signature_invalid'),
        chain_break: first(report, 'link_mismatch'),
        step_id_repeat: first(report, 'id_repeat'),
        seq_gap: first(report, 'seq_gap'),
        seq_repeat: first(report, 'seq_repeat'),
      }
      assert.deepEqual(found, expect)
      assert.equal(report.claims.signed.holds, false, 'nobody vouches for a key that travels in the record')
    })
  }
  for (const { file, log, expect } of manifest.head_vectors) {
    it(`${file} over ${log}: ${expect}`, async () => {
      const keys = [ed25519(manifest.test_public_key)]
      const report = await check(vector(`sahu/vectors/${log}`), { keys, head: vector(`sahu/vectors/${file}`).toString('utf8') })
      assert.equal(report.claims.complete.holds, expect === 'match')
      assert.equal(report.claims.signed.holds, true)
      assert.deepEqual(at(report, 'head_invalid'), [])
    })
  }
  it('a receipt signed with another key than the pinned one is not signed', async () => {
    const report = await check(vector('sahu/vectors/01-basic-chain.jsonl'), {
      keys: [ed25519('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')],
    })
    assert.equal(report.claims.signed.holds, false)
    assert.deepEqual(at(report, 'key_unknown'), [1, 2, 3])
  })
})

describe('AAT', { skip: absent }, () => {
  const cases = absent
    ? []
    : vectorJson<{ vectors: { file: string; expect: { sig_failures: number[]; chain_break: number | null } }[] }>(
        'aat-derived/manifest.json',
      ).vectors
  for (const { file, expect } of cases) {
    it(file, async () => {
      const keys = parseForeignKeys(vector('aat-derived/public.jwk.json').toString('utf8'))
      const report = await check(vector(`aat-derived/${file}`), { keys })
      assert.deepEqual({ sig_failures: at(report, 'signature_invalid'), chain_break: first(report, 'link_mismatch') }, expect)
      assert.equal(report.claims.complete.holds, file === 'valid-session.jsonl' || file === 'batch-detached-added.jsonl')
    })
  }
})

describe('NOA receipts', { skip: absent }, () => {
  const keyring = () => parseForeignKeys(vector('noa/conformance/vectors/keyring.json').toString('utf8'))
  const checkpoint = () => vector('noa/conformance/vectors/checkpoint.json').toString('utf8')
  const valid = [
    'valid-chain',
    'coherence-consistent-sandbox',
    'coherence-rolled-back-consistent',
    'tenant-enrichment-absent-first',
    'tenant-omission-then-same-tenant',
    'ts-leap-second',
  ]
  for (const name of valid) {
    it(`${name}: holds`, async () => {
      const report = await check(vector(`noa/conformance/vectors/${name}.json`), { keys: keyring() }, 'noa')
      assert.deepEqual(report.findings, [])
      assert.deepEqual([report.claims.chain.holds, report.claims.signed.holds, report.claims.complete.holds], [true, true, false])
    })
  }
  it('valid-chain with its checkpoint is complete', async () => {
    const report = await check(vector('noa/conformance/vectors/valid-chain.json'), { keys: keyring(), head: checkpoint() }, 'noa')
    assert.equal(report.claims.complete.holds, true)
  })
  const attacks: Readonly<Record<string, string>> = {
    'coherence-irreversible-with-rollbackref': 'incoherent',
    'coherence-rolled-back-irreversible': 'incoherent',
    'coherence-sandbox-principal': 'incoherent',
    'coherence-simulated-not-sandboxed': 'incoherent',
    'coherence-ts-not-an-instant': 'malformed',
    'cross-chain-splice': 'splice',
    'dup-seq': 'seq_repeat',
    'forged-genesis': 'link_mismatch',
    'head-truncated': 'link_mismatch',
    'key-swap': 'key_unknown',
    'key-swap-resigned': 'key_unknown',
    relinked: 'link_mismatch',
    'seq-gap': 'seq_gap',
    'tail-truncated': 'head_mismatch',
    'tampered-content': 'hash_mismatch',
    'tenant-splice-via-absent': 'splice',
    'tenant-splice-via-absent-long': 'splice',
    'unknown-kid': 'key_unknown',
    'wrong-signature': 'signature_invalid',
  }
  for (const [name, expected] of Object.entries(attacks)) {
    it(`attack ${name}: ${expected}`, async () => {
      const options = { keys: keyring(), ...(name === 'tail-truncated' && { head: checkpoint() }) }
      const report = await check(vector(`noa/conformance/vectors/attack/${name}.json`), options, 'noa')
      assert.ok(
        report.findings.some((f) => f.class === expected),
        JSON.stringify(report.findings),
      )
    })
  }
  it('attack forged-checkpoint: a checkpoint signed by another key completes nothing', async () => {
    const head = vector('noa/conformance/vectors/attack/forged-checkpoint-cp.json').toString('utf8')
    const report = await check(vector('noa/conformance/vectors/attack/forged-checkpoint-chain.json'), { keys: keyring(), head }, 'noa')
    assert.deepEqual(
      report.findings.map((f) => f.class),
      ['head_invalid'],
    )
    assert.equal(report.claims.complete.holds, false)
  })
  for (const name of [
    'deep-nest',
    'duplicate-key',
    'float-number',
    'lone-high-surrogate',
    'lone-low-surrogate',
    'pii-smuggle',
    'proto-pollution',
    'reversed-surrogate-pair',
    'trailing-garbage',
  ]) {
    it(`malformed ${name}: no claim holds, and no value of the file is repeated`, async () => {
      const bytes = vector(`noa/conformance/vectors/malformed/${name}.json`)
      const report = await check(bytes, { keys: keyring() }, 'noa')
      assert.ok(at(report, 'malformed').length > 0)
      assert.deepEqual(
        Object.values(report.claims).filter((claim) => claim.holds),
        [],
      )
      assert.doesNotMatch(JSON.stringify(report.findings), /polluted|passport|@/)
    })
  }
})

describe('NOA policies', { skip: absent }, () => {
  for (const name of ['refund-guard', 'utf16-edge']) {
    it(`${name}: policyHash is over RFC 8785 bytes, UTF-16 order of names included`, () => {
      const { policies } = vectorJson<{ policies: { policy: Receipt; policyHash: string | null }[] }>(
        `noa/conformance/l2/${name}.vectors.json`,
      )
      const hashed = policies.filter(({ policyHash }) => policyHash !== null) // the others are refused before they are hashed
      assert.ok(hashed.length > 0)
      for (const { policy, policyHash } of hashed)
        assert.equal(`sha256:${toHex(foreignPrimitives.hash('sha256', jcs(policy)))}`, policyHash)
    })
  }
})

describe('NOA receipts of version 0.3.0', { skip: absent }, () => {
  interface Scenario {
    name: string
    files: { chain: string; keyring?: string; checkpoint?: string; identityManifest?: string }
    options: { chainTransform?: string }
    expected: { status: string; signaturesVerified?: boolean; tailChecked?: boolean; count?: number }
  }
  const folder = 'noa/conformance/golden/0.3.0'
  const scenarios = absent ? [] : vectorJson<{ scenarios: Scenario[] }>(`${folder}/MANIFEST.json`).scenarios
  for (const { name, files, options, expected } of scenarios) {
    it(name, async () => {
      const chain = vectorJson<unknown[]>(`${folder}/${files.chain}`)
      const bytes = utf8(JSON.stringify(options.chainTransform === 'dropLast' ? chain.slice(0, -1) : chain))
      const report = await check(bytes, {
        ...(files.keyring && { keys: parseForeignKeys(vector(`${folder}/${files.keyring}`).toString('utf8')) }),
        ...(files.checkpoint && { head: vector(`${folder}/${files.checkpoint}`).toString('utf8') }),
        ...(files.identityManifest && { identities: vectorJson<Record<string, string[]>>(`${folder}/${files.identityManifest}`) }),
      })
      const classes = report.findings.map((f) => f.class)
      assert.deepEqual(
        classes,
        { VALID: [], UNVERIFIED: [], TAMPERED: ['head_mismatch'], UNTRUSTED: ['key_unauthorized'] }[expected.status],
      )
      assert.equal(report.claims.chain.holds, true)
      assert.equal(report.claims.signed.holds, expected.status === 'VALID' || expected.status === 'TAMPERED')
      assert.equal(report.claims.complete.holds, expected.tailChecked === true)
      if (expected.count !== undefined) assert.equal(report.records, expected.count)
    })
  }
})

describe('COSE', { skip: absent }, () => {
  it('a third party’s COSE_Sign1 with alg -19 verifies under its key, and not under another', async () => {
    const { cose_sign1_hex, pub_raw32_hex, kid } = vectorJson<Record<string, string>>(
      'noa/conformance/cose-3rd-party/cose-sign1-ed25519.vector.json',
    )
    const bytes = parseHex(cose_sign1_hex!)
    assert.equal((await check(bytes, { keys: [ed25519(pub_raw32_hex!, kid)] })).claims.signed.holds, true)
    assert.equal((await check(bytes)).claims.signed.holds, false)
    for (const place of [30, bytes.length - 1]) {
      const tampered = bytes.with(place, bytes[place]! ^ 1)
      assert.equal((await check(tampered, { keys: [ed25519(pub_raw32_hex!, kid)] })).claims.signed.holds, false)
    }
  })
  interface Attribution {
    keyring: Record<string, string>
    identityManifest: Record<string, string[]>
    vectors: { name: string; coseHex: string; expect: { ok: boolean; agentClaim: string; envelopeClaim: string } }[]
  }
  const attribution = absent ? undefined : vectorJson<Attribution>('noa/conformance/cose-attribution/vectors.json')
  for (const { name, coseHex, expect } of attribution?.vectors ?? []) {
    it(name, async () => {
      const keys = parseForeignKeys(JSON.stringify(attribution!.keyring))
      const report = await check(parseHex(coseHex), { keys, identities: attribution!.identityManifest })
      const isSound = report.findings.length === 0
      assert.equal(isSound, expect.ok, JSON.stringify(report.findings))
      assert.equal(report.claims.signed.holds, expect.ok)
      const unauthorized = report.findings.some((f) => f.class === 'key_unauthorized')
      assert.equal(unauthorized, expect.agentClaim === 'UNAUTHORIZED')
      if (expect.envelopeClaim === 'UNAUTHENTICATED') assert.match(report.claims.signed.detail, /identifies nobody/)
    })
  }
  for (const kind of ['inclusion', 'consistency']) {
    it(`an RFC 9942 ${kind} receipt is read, and proves nothing alone`, async () => {
      const bytes = vector(`cose-receipts/${kind}-receipt.cbor`)
      const report = await check(bytes)
      assert.deepEqual([report.format, report.findings, report.claims.bytes.holds], ['cose-receipt', [], true])
      assert.deepEqual([report.claims.tree.holds, report.claims.signed.holds], [false, false])
      const cut = await check(bytes.subarray(0, -1))
      assert.equal(cut.claims.bytes.holds, false)
    })
  }
})

describe('agent receipts (Obsigna)', { skip: absent }, () => {
  interface Vectors {
    keys: { publicKey: string }
    [name: string]: unknown
  }
  interface Case {
    receipt?: Receipt
    receipts?: Receipt[]
    expectedReceiptHash?: string
  }
  const keysOf = ({ keys }: Vectors) => parseForeignKeys(keys.publicKey)
  const log = (receipts: readonly Receipt[]) => utf8(receipts.map((receipt) => `${JSON.stringify(receipt)}\n`).join(''))

  for (const sdk of ['go', 'py', 'ts']) {
    it(`${sdk}: canonical form, hash and signature`, async () => {
      const vectors = vectorJson<
        Vectors & { canonicalization: Record<string, string>; hashing: Record<string, string>; signing: { signed: Receipt } }
      >(`agent-receipts/cross-sdk-tests/${sdk}_vectors.json`)
      const { canonicalization, hashing, signing } = vectors
      assert.deepEqual(jcs(canonicalization.simpleInput!), utf8(canonicalization.simpleExpected!))
      assert.deepEqual(jcs(canonicalization.receiptInput!), utf8(canonicalization.receiptExpected!))
      const hash = toHex(foreignPrimitives.hash('sha256', agentReceiptBytes(signing.signed)))
      assert.equal(`sha256:${hash}`, hashing.receiptExpected)
      const report = await check(log([signing.signed]), { keys: keysOf(vectors) })
      assert.deepEqual(report.findings, [])
      assert.deepEqual([report.claims.signed.holds, report.claims.complete.holds], [true, false])
    })
  }
  for (const version of ['v020', 'v030', 'v040', 'v050']) {
    it(`${version}: every receipt and chain verifies, hashes byte for byte`, async () => {
      const vectors = vectorJson<Vectors>(`agent-receipts/cross-sdk-tests/${version}_vectors.json`)
      let checked = 0
      for (const one of Object.values(vectors) as Case[]) {
        const receipts = one.receipts ?? (one.receipt ? [one.receipt] : [])
        if (receipts.length === 0) continue
        const report = await check(log(receipts), { keys: keysOf(vectors) }, 'agent-receipts')
        assert.deepEqual(report.findings, [])
        assert.equal(report.claims.signed.holds, true)
        if (one.expectedReceiptHash)
          assert.equal(`sha256:${toHex(foreignPrimitives.hash('sha256', agentReceiptBytes(receipts[0]!)))}`, one.expectedReceiptHash)
        checked += 1
      }
      assert.ok(checked >= 2)
      if (version === 'v020') {
        const { receipts } = vectors.terminalChain as { receipts: Receipt[] }
        assert.equal((await check(log(receipts), { keys: keysOf(vectors) })).claims.complete.holds, true)
        assert.equal((await check(log(receipts.slice(0, 2)), { keys: keysOf(vectors) })).claims.complete.holds, false)
      }
    })
  }
  it('every malformed receipt and chain is refused', async () => {
    const vectors = vectorJson<
      Vectors & { receipts: { name: string; receipt: Receipt }[]; chains: { name: string; receipts: Receipt[] }[] }
    >('agent-receipts/cross-sdk-tests/malformed_vectors.json')
    for (const { name, receipt } of vectors.receipts) {
      const report = await check(log([receipt]), { keys: keysOf(vectors) }, 'agent-receipts')
      assert.ok(
        report.findings.some((f) => f.class === 'signature_invalid'),
        name,
      )
    }
    for (const { name, receipts } of vectors.chains) {
      const report = await check(log(receipts), { keys: keysOf(vectors) }, 'agent-receipts')
      assert.ok(
        report.findings.some((f) => f.class === 'link_mismatch'),
        name,
      )
    }
    assert.ok(vectors.receipts.length >= 6 && vectors.chains.length >= 1)
  })
  it('a key rotation verifies under the outgoing key, byte for byte, and not under the incoming one', async () => {
    const bytes = vector('agent-receipts/spec/test-vectors/rotation-event/example.json')
    const outgoing = ed25519('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
    const incoming = ed25519('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025')
    assert.deepEqual((await check(bytes, { keys: [outgoing] })).findings, [])
    assert.deepEqual(at(await check(bytes, { keys: [incoming] }), 'signature_invalid'), [1])
    const hash = toHex(foreignPrimitives.hash('sha256', agentReceiptBytes(JSON.parse(text(bytes)))))
    assert.equal(hash, '6983c9bd6fb24e844b90f7616315a914fdedc5fef8126e11d46149ba2f320457')
  })
  it('did:key names the key that it says', () => {
    const { vectors } = vectorJson<{ vectors: { public_key_hex: string; did: string }[] }>(
      'agent-receipts/spec/test-vectors/did-key/vectors.json',
    )
    assert.ok(vectors.length >= 3)
    for (const { public_key_hex, did } of vectors) assert.equal(didKey(parseHex(public_key_hex)), did)
  })
  it('the examples of the specification have the form; their links hold where they are a chain', async () => {
    for (const name of [
      'minimal-receipt',
      'full-receipt',
      'delegation-receipt',
      'parameters-disclosure-receipt',
      'v0-2-response-hash-receipt',
    ]) {
      const report = await check(vector(`agent-receipts/spec/examples/${name}.json`), {}, 'agent-receipts')
      assert.deepEqual(at(report, 'malformed'), [], name)
    }
    for (const names of [
      ['chain-receipt-1', 'chain-receipt-2', 'chain-receipt-3'],
      ['chain-receipt-1', 'chain-receipt-2', 'v0-2-terminal-chain-receipt-3'],
    ]) {
      const receipts = names.map((name) => vectorJson<Receipt>(`agent-receipts/spec/examples/${name}.json`))
      const report = await check(log(receipts), {}, 'agent-receipts')
      assert.deepEqual(at(report, 'malformed'), [], names.join())
    }
  })
  it('a disclosure envelope and what is sealed in it have the canonical form; it stays sealed, for we have no HPKE', () => {
    const { vectors } = vectorJson<{
      vectors: { plaintext_object: Receipt; plaintext_canonical_jcs: string; envelope_object: Receipt; envelope_canonical_jcs: string }[]
    }>('agent-receipts/spec/test-vectors/disclosure-envelope/vectors.json')
    assert.ok(vectors.length > 0)
    for (const one of vectors) {
      assert.equal(text(jcs(one.plaintext_object)), one.plaintext_canonical_jcs)
      assert.equal(text(jcs(one.envelope_object)), one.envelope_canonical_jcs)
    }
  })
})

describe('RFC 8785, as the agent-receipts vectors pin it', { skip: absent }, () => {
  interface Vectors {
    canonicalization_vectors: { name: string; input: Receipt; canonical: string; expectedHash?: string }[]
    receipt_hash_vectors: { name: string; receipt?: Receipt; expectedHash?: string; preNormalizationInput?: boolean }[]
  }
  const vectors = absent ? undefined : vectorJson<Vectors>('agent-receipts/cross-sdk-tests/canonicalization_vectors.json')
  for (const { name, input, canonical, expectedHash } of vectors?.canonicalization_vectors ?? []) {
    it(name, () => {
      assert.equal(text(jcs(input)), canonical)
      if (expectedHash) assert.equal(`sha256:${toHex(foreignPrimitives.hash('sha256', jcs(input)))}`, expectedHash)
    })
  }
  for (const { name, receipt, expectedHash, preNormalizationInput } of vectors?.receipt_hash_vectors ?? []) {
    if (!receipt || preNormalizationInput || !expectedHash?.startsWith('sha256:')) continue // about SDKs, not about receipts
    it(name, () => assert.equal(`sha256:${toHex(foreignPrimitives.hash('sha256', agentReceiptBytes(receipt)))}`, expectedHash))
  }
})

describe('AIVS', { skip: absent }, () => {
  const bundle = (rows = vector('aivs/examples/audit-log.jsonl')) => ({
    'audit_log.jsonl': rows,
    'manifest.json': vector('aivs/examples/manifest.json'),
  })
  it('five rows and the hash over them, as the manifest says', async () => {
    const report = await checkAivs(bundle(), { primitives: foreignPrimitives })
    assert.deepEqual(report.findings, [])
    assert.deepEqual(
      [report.records, report.claims.chain.holds, report.claims.complete.holds, report.claims.signed.holds],
      [5, true, true, false],
    )
  })
  it('rows alone are recognised', () => {
    assert.equal(findForeignFormat(vector('aivs/examples/audit-log.jsonl'))?.name, 'aivs')
  })
  it('a removed row and a changed cost are found; a changed output is not, and the report says so', async () => {
    const lines = vector('aivs/examples/audit-log.jsonl').toString('utf8').trimEnd().split('\n')
    const with_ = (edited: string[]) => checkAivs(bundle(Buffer.from(edited.join('\n'))), { primitives: foreignPrimitives })
    assert.ok(at(await with_(lines.toSpliced(2, 1)), 'link_mismatch').length > 0)
    assert.ok((await with_(lines.slice(0, 4))).findings.some((f) => f.class === 'head_mismatch'))
    assert.deepEqual(at(await with_(lines.with(1, lines[1]!.replace('"cost_cents":2', '"cost_cents":9'))), 'hash_mismatch'), [2])
    const unseen = await with_(lines.with(1, lines[1]!.replace('ResearchBot', 'Mallory')))
    assert.deepEqual(unseen.findings, [])
    assert.match(unseen.cannot.join(' '), /Inputs, outputs and errors are not hashed/)
  })
})

/** Files that this file's tests do not read, and why. */
const UNREAD: Readonly<Record<string, string>> = {
  'agent-receipts/cross-sdk-tests/emit_failure_vectors.json': 'what an SDK does when its daemon is away: no receipt',
  'agent-receipts/spec/schema/agent-receipt.schema.json': 'a schema, not a vector',
  'agent-receipts/spec/schema/parameters-disclosure.schema.json': 'a schema, not a vector',
  'agent-receipts/spec/schema/taxonomy.schema.json': 'a schema, not a vector',
  'aivs/examples/aivs-micro.json': 'a hash of a web page, unsigned: there is no log, and the page is not here',
  'aivs/examples/verify-output.txt': 'what the script of a bundle prints: it is never run',
  'aivs/schemas/aivs-micro.schema.json': 'a schema, not a vector',
  'aivs/schemas/audit-log-entry.schema.json': 'a schema, not a vector',
  'aivs/schemas/manifest.schema.json': 'a schema, not a vector',
  'aivs/schemas/proof-bundle-manifest.schema.json': 'a schema, not a vector',
  'cose-receipts/consistency-receipt.cddl': 'the form of the .cbor beside it, which is read',
  'cose-receipts/consistency-receipt.diag': 'the .cbor beside it as text',
  'cose-receipts/inclusion-receipt.cddl': 'the form of the .cbor beside it, which is read',
  'cose-receipts/inclusion-receipt.diag': 'the .cbor beside it as text',
  'noa/conformance/action-digest/vectors.json': 'read by foreign-inputs.test.ts, whole',
  'noa/schema/noa-receipt-0.1.schema.json': 'a schema, not a vector',
}

test('every vector is read above, or stands here with a reason', { skip: absent }, () => {
  assert.deepEqual(
    allVectors()
      .filter((path) => !seen.has(path))
      .sort(),
    Object.keys(UNREAD).sort(),
  )
})
