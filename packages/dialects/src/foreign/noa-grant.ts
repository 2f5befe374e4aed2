/**
 * What lies beside NOA receipts: the grant to execute once, the action digest over receipt and grant, and who may sign.
 *
 * A digest that fits links an attempt to its authorisation; that the action happened it does not say. A grant is checked
 * by itself where no digest is given. Source: noa.action-digest/0.1 §3 to §5; noa-execution-grant-0.1.schema.json.
 * @module
 */
import { asText, concat, isJsonObject, type JsonObject, type JsonValue, parseStrict, SwornError, text, toHex, utf8 } from '@sworn/verify'
import { own, part } from '../codecs/values.ts'
import { jcs } from '../jcs.ts'
import { findKey, isPinned, verifySignature } from './keys.ts'
import { noaGrantFault } from './noa-form.ts'
import { fromBase64 } from './pem.ts'
import type { ForeignOptions, Tally } from './report.ts'

const GRANT_TAG = utf8('NOA-ExecGrant-v0.1-sig:')
const DIGEST_TAG = utf8('NOA-ActionDigest-v0.1-dig:')
const MAX_NAME = 128

/** The documents of `inputs`, by what they are. */
export interface NoaInputs {
  readonly grant?: JsonObject
  readonly digest?: JsonObject
  /** What whoever verifies expects. */
  readonly scope?: { readonly tenant: string; readonly chain: string }
  /** agent id -> the keys that may sign for it. */
  readonly identities?: ForeignOptions['identities']
}

/**
 * The inputs of a NOA log: an execution grant, an action digest, `{"tenant", "chain"}`, an identity manifest.
 * @throws SwornError USAGE for anything else, and for a digest without all that it takes to check it
 */
export function parseNoaInputs({ inputs = [], keys = [] }: ForeignOptions): NoaInputs {
  const found: NoaInputs = Object.assign({}, ...inputs.map((bytes) => classify(bytes)))
  if (Object.keys(found).length < inputs.length) throw refuse('each kind of document once was expected')
  if (!found.digest) return found
  const missing = [
    found.grant ? '' : 'its execution grant as another --input',
    found.scope ? '' : 'a file with the {"tenant", "chain"} that you expect as another --input',
    keys.length > 0 ? '' : 'a keyring as --key',
  ].filter((one) => one !== '')
  if (missing.length > 0) throw refuse(`the action digest can only be checked with ${missing.join(', and ')}`)
  return found
}

function classify(bytes: Uint8Array): NoaInputs {
  const value = parse(bytes)
  const spec = typeof value.spec === 'string' ? value.spec : ''
  if (spec.startsWith('noa.execution-grant/')) return { grant: value }
  if (spec.startsWith('noa.action-digest/')) return { digest: value }
  const { tenant, chain, ...rest } = value
  if (isName(tenant) && isName(chain) && Object.keys(rest).length === 0) return { scope: { tenant, chain } }
  if (Object.values(value).every((ids) => Array.isArray(ids) && ids.every((id) => typeof id === 'string')))
    return { identities: value as NonNullable<ForeignOptions['identities']> } // every member was seen to be a list of text
  throw refuse(
    'a NOA execution grant, action digest or identity manifest was expected, or {"tenant", "chain"} as text without white space around it',
  )
}

function parse(bytes: Uint8Array): JsonObject {
  try {
    const value = parseStrict(text(bytes))
    if (isJsonObject(value)) return value
  } catch {
    // said below
  }
  throw refuse('a JSON object was expected')
}

function refuse(message: string): SwornError {
  return new SwornError('USAGE', message, 'inputs')
}

/** One value has one spelling: no white space around it, at most 128 characters. */
function isName(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.trim() === value && [...value].length <= MAX_NAME
}

/** The receipt that a grant descends from, when it is met. */
export function isGrantedBy(grant: JsonObject | undefined, receipt: JsonObject): boolean {
  return grant !== undefined && part(receipt, 'chain').hash === grant.approvalReceiptHash
}

/** @param receipt the one that the grant names; undefined when it is not in the log */
export async function checkGrant(inputs: NoaInputs, receipt: JsonObject | undefined, options: ForeignOptions, tally: Tally): Promise<void> {
  const { grant } = inputs
  if (!grant) return
  const fault = noaGrantFault(grant)
  if (fault !== undefined) return tally.add('malformed', undefined, `the form of noa.execution-grant/0.1 was expected at ${fault}`)
  await checkGrantSignature(grant, options, tally)
  if (!receipt) return tally.add('link_mismatch', undefined, 'the grant is for a receipt that is not here')
  if (part(receipt, 'governance').verdict !== 'ALLOWED')
    tally.add('incoherent', undefined, 'the grant names a receipt that allows nothing: verdict ALLOWED was expected')
  if (part(receipt, 'action').paramsHash !== grant.paramsHash)
    tally.add('link_mismatch', undefined, 'the grant is for other parameters than its receipt')
  if (inputs.digest) checkDigest(inputs, grant, receipt, options, tally)
}

async function checkGrantSignature(grant: JsonObject, options: ForeignOptions, tally: Tally): Promise<void> {
  if (!isPinned(options)) return
  const { sig: _, ...body } = grant
  const { kid, value } = part(grant, 'sig')
  const key = findKey(options, asText(kid), 'Ed25519')
  if (!key) return tally.add('key_unknown', undefined, 'the key of the grant is not in the keyring')
  const digest = options.primitives.hash('sha256', jcs(body))
  if (!(await verifySignature(options, key, concat(GRANT_TAG, digest), fromBase64(value))))
    tally.add('signature_invalid', undefined, 'the signature of the grant does not verify under its kid')
}

function checkDigest({ digest, scope }: NoaInputs, grant: JsonObject, receipt: JsonObject, options: ForeignOptions, tally: Tally): void {
  const { tenant, chain } = part(receipt, 'scope')
  if (!isName(tenant) || !isName(chain)) {
    const expected = `tenant and chain of 1 to ${MAX_NAME} characters without white space around them`
    tally.add('malformed', undefined, `an action digest needs a receipt with ${expected}`)
    return
  }
  if (tenant !== scope?.tenant || chain !== scope.chain)
    tally.add('splice', undefined, 'the receipt is of another tenant or chain than you expect')
  const expected = noaActionDigest(receipt, grant, options)
  const isClaim = Object.keys(digest ?? {}).length === 2 && own(digest ?? {}, 'spec') === 'noa.action-digest/0.1'
  if (!isClaim) tally.add('malformed', undefined, 'the form of noa.action-digest/0.1 was expected')
  else if (digest?.digest !== expected)
    tally.add('hash_mismatch', undefined, 'the action digest is not that of this receipt and this grant')
}

/** The digest of an attempt: `sha256:` and hex. @param receipt whose `chain.hash` was found to be its own */
function noaActionDigest(receipt: JsonObject, grant: JsonObject, { primitives }: ForeignOptions): string {
  const hash = (bytes: Uint8Array) => primitives.hash('sha256', bytes)
  const { id, canonical, paramsHash } = part(receipt, 'action')
  const projection = {
    spec: 'noa.action-digest/0.1',
    authorizationReceiptHash: part(receipt, 'chain').hash!,
    tenant: part(receipt, 'scope').tenant!,
    chain: part(receipt, 'scope').chain!,
    actionId: id!,
    actionCanonical: canonical!,
    actionParamsHash: paramsHash!,
    executionGrantId: grant.grantId!,
    executionGrantHash: `sha256:${toHex(hash(jcs(grant)))}`,
    executionNonce: grant.nonce!,
  }
  return `sha256:${toHex(hash(concat(DIGEST_TAG, hash(jcs(projection)))))}`
}
