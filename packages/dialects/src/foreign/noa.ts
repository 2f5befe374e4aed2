/**
 * NOA receipts: form, hashes, links, one tenant a chain, signatures by known keys of authorised agents, checkpoint.
 *
 * The signature is over a tag and the raw digest. Source: draft-noa-scitt-ai-agent-receipt-01; conformance vectors of
 * NordenSoft/noa.
 * @module
 */
import { asText, concat, type JsonObject, type JsonValue, parseStrict, toHex, utf8 } from '@sworn/verify'
import { own, part } from '../codecs/values.ts'
import { jcs } from '../jcs.ts'
import { checkPosition, form } from './chains.ts'
import { findKey, isPinned, verifySignature } from './keys.ts'
import { noaFault, noaIncoherence } from './noa-form.ts'
import { checkGrant, isGrantedBy, type NoaInputs, parseNoaInputs } from './noa-grant.ts'
import { fromBase64 } from './pem.ts'
import { type ForeignRecord, readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport, type Tally, toReport } from './report.ts'

const RECEIPT_TAG = utf8('NOA-Receipt-v0.1-sig:')
const CHECKPOINT_TAG = utf8('NOA-Checkpoint-v0.1-sig:')
const GRANT_MISSING =
  'Grants and action digests lie elsewhere: give them with --input, a digest with its grant and your {"tenant", "chain"}.'
const DIGEST_MISSING = 'An action digest lies elsewhere: give it with --input, and your {"tenant", "chain"} with another.'

/** @throws SwornError USAGE for inputs that are none of a NOA log, or of which one is missing */
export async function checkNoa(bytes: Uint8Array, given: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bytes, tally)
  const inputs = parseNoaInputs(given)
  const options = inputs.identities ? { ...given, identities: inputs.identities } : given
  const scope: Scope = {}
  let before: JsonObject | undefined
  let granted: ForeignRecord | undefined
  let position = 0
  for (const record of records) {
    if (!checkForm(record, tally)) continue
    const { number, value } = record
    checkLink(number, value, before, position, options, tally)
    checkScope(number, value, scope, tally)
    await checkNoaSignature(number, value, options, tally)
    if (isGrantedBy(inputs.grant, value)) granted ??= record
    before = value
    position += 1
  }
  await checkGrant(inputs, granted?.value, options, tally)
  const isComplete = options.head !== undefined && (await checkCheckpoint(options.head, before, options, tally))
  const known = {
    bytes: form(records),
    chain: { shown: true, detail: `every receipt links the one before; one chain, one tenant${describeGrant(inputs, granted)}` },
    signed: { shown: isPinned(options), detail: isPinned(options) ? 'by keys of your keyring' : 'no keyring was given: --key' },
    complete: { shown: isComplete, detail: isComplete ? 'up to the checkpoint' : 'no checkpoint was given: --head' },
  }
  return toReport('noa', records.count, tally, known, [
    'Receipts removed at the end show only against a checkpoint that came another way.',
    'Parameters are hashes: what they were is not here.',
    ...(inputs.digest ? [] : [inputs.grant ? DIGEST_MISSING : GRANT_MISSING]),
    'That the action happened as the receipt says is the agent’s own statement.',
  ])
}

function describeGrant({ grant, digest }: NoaInputs, granted: ForeignRecord | undefined): string {
  if (!grant || !granted) return ''
  return digest ? `; the action digest is of receipt ${granted.number} and its grant` : `; the grant is for receipt ${granted.number}`
}

function checkForm({ number, value, digits }: ForeignRecord, tally: Tally): boolean {
  const fault = Object.keys(digits).length > 0 ? 'a number' : noaFault(value)
  if (fault !== undefined) tally.add('malformed', number, `the form of noa.receipt/0.1 was expected at ${fault}`)
  const incoherent = fault === undefined && noaIncoherence(value)
  if (incoherent) tally.add('incoherent', number, incoherent)
  return fault === undefined
}

/** SHA-256 over a receipt without its own hash and the value of its signature. */
export function noaDigest(receipt: JsonObject, { primitives }: ForeignOptions): Uint8Array {
  const { hash: _, ...chain } = part(receipt, 'chain')
  const { value: __, ...sig } = part(receipt, 'sig')
  return primitives.hash('sha256', jcs({ ...receipt, chain, sig }))
}

function checkLink(
  number: number,
  receipt: JsonObject,
  before: JsonObject | undefined,
  position: number,
  options: ForeignOptions,
  tally: Tally,
): void {
  const chain = part(receipt, 'chain')
  checkPosition(tally, number, chain.seq, position)
  if (chain.hash !== `sha256:${toHex(noaDigest(receipt, options))}`)
    tally.add('hash_mismatch', number, 'chain.hash is not a hash of its own contents')
  const expected = before ? own(part(before, 'chain'), 'hash') : null
  if (chain.prevHash !== expected)
    tally.add(
      'link_mismatch',
      number,
      before ? 'prevHash is not the hash of the receipt before' : 'a genesis receipt with prevHash null was expected',
    )
}

/** The signature and, where the verifier knows who may sign for whom, the authority of its key. */
export async function checkNoaSignature(number: number, receipt: JsonObject, options: ForeignOptions, tally: Tally): Promise<boolean> {
  if (!isPinned(options)) return false
  const sig = part(receipt, 'sig')
  const kid = asText(sig.kid)
  const key = findKey(options, kid, 'Ed25519')
  if (!key) {
    tally.add('key_unknown', number, 'the key is not in the keyring')
    return false
  }
  const fits = await verifySignature(options, key, concat(RECEIPT_TAG, noaDigest(receipt, options)), fromBase64(sig.value))
  if (!fits) tally.add('signature_invalid', number, 'the signature does not verify under its kid')
  const agent = asText(part(receipt, 'agent').id)
  const isAuthorized = !options.identities || (Object.hasOwn(options.identities, agent) && options.identities[agent]!.includes(kid))
  if (!isAuthorized) tally.add('key_unauthorized', number, 'the agent is not authorised for the signing key')
  return fits && isAuthorized
}

/** All receipts are of one chain; all that name a tenant name the same. */
function checkScope(number: number, receipt: JsonObject, seen: Scope, tally: Tally): void {
  const { chain, tenant } = part(receipt, 'scope')
  seen.chain ??= chain
  seen.tenant ??= tenant
  if (chain !== seen.chain) tally.add('splice', number, 'a receipt of another chain')
  if (tenant !== undefined && tenant !== seen.tenant) tally.add('splice', number, 'a receipt of another tenant')
}

interface Scope {
  chain?: JsonValue | undefined
  tenant?: JsonValue | undefined
}

async function checkCheckpoint(head: string, last: JsonObject | undefined, options: ForeignOptions, tally: Tally): Promise<boolean> {
  const checkpoint = parseCheckpoint(head)
  const sig = checkpoint && part(checkpoint, 'sig')
  const key = sig && findKey(options, asText(sig.kid), 'Ed25519')
  if (!checkpoint || !key || !(await isSigned(checkpoint, key, options))) {
    tally.add('head_invalid', undefined, 'a noa.checkpoint/0.1 signed by a key of the keyring was expected')
    return false
  }
  const chain = last && part(last, 'chain')
  const fits =
    last && checkpoint.chain === part(last, 'scope').chain && chain?.seq === checkpoint.highestSeq && chain?.hash === checkpoint.headHash
  if (!fits) tally.add('head_mismatch', undefined, 'the log does not end where the checkpoint says')
  return fits === true
}

async function isSigned(checkpoint: JsonObject, key: NonNullable<ReturnType<typeof findKey>>, options: ForeignOptions): Promise<boolean> {
  const { value, ...sig } = part(checkpoint, 'sig')
  const digest = options.primitives.hash('sha256', jcs({ ...checkpoint, sig }))
  return verifySignature(options, key, concat(CHECKPOINT_TAG, digest), fromBase64(value))
}

function parseCheckpoint(head: string): JsonObject | undefined {
  try {
    const value = parseStrict(head)
    const isCheckpoint = typeof value === 'object' && value !== null && !Array.isArray(value) && value.spec === 'noa.checkpoint/0.1'
    return isCheckpoint ? value : undefined
  } catch {
    return undefined // the finding says so
  }
}
