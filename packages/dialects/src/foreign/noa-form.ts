/**
 * The form of a NOA receipt: a closed set of members, whole numbers, real instants, and four rules between members.
 *
 * Source: draft-noa-scitt-ai-agent-receipt-01 §2; noa-receipt-0.1.schema.json, noa-execution-grant-0.1.schema.json.
 * @module
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@sworn/verify'
import { own, part } from '../codecs/values.ts'

type Check = (value: JsonValue) => boolean
interface Shape {
  readonly [member: string]: Check | Shape
}

const HASH = /^sha256:[0-9a-f]{64}$/
const PARAMS_HASH = /^(?:sha256|hmac-sha256):[0-9a-f]{64}$/
const text: Check = (value) => typeof value === 'string' && value.length > 0
const shortText: Check = (value) => text(value) && String(value).length <= 128
const anyText: Check = (value) => typeof value === 'string'
const textOrNull: Check = (value) => value === null || typeof value === 'string'
const flag: Check = (value) => typeof value === 'boolean'
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && words.includes(value)
const like =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value)

/** Members with `?` may be missing, those with `0` may be null. */
const RECEIPT: Shape = {
  spec: oneOf('noa.receipt/0.1'),
  id: shortText,
  ts: isInstant,
  scope: { 'tenant?': anyText, chain: text },
  agent: { id: text, 'model?': textOrNull, principal: oneOf('HUMAN', 'SERVICE', 'POLICY', 'SANDBOX_SIM') },
  action: {
    id: text,
    canonical: text,
    riskClass: oneOf('LOW', 'MEDIUM', 'HIGH', 'CRITICAL', 'IRREVERSIBLE'),
    paramsHash: like(PARAMS_HASH),
    reversible: flag,
    'rollbackRef?': textOrNull,
  },
  governance: {
    mode: oneOf('off', 'shadow', 'approvals_on', 'on'),
    verdict: oneOf('ALLOWED', 'BLOCKED', 'DEFERRED', 'EXECUTED', 'FAILED', 'ROLLED_BACK', 'SIMULATED'),
    'ruleId?': textOrNull,
    sandboxed: flag,
    'approval?0': { by: anyText, at: isInstant },
    'compliance?0': { policyHash: like(HASH), readSetHash: like(HASH), inputsHash: like(HASH), 'verdict?': oneOf('ALLOW', 'DENY') },
  },
  chain: { seq: isWhole, prevHash: (value) => value === null || like(HASH)(value), hash: like(HASH) },
  sig: { alg: oneOf('ed25519'), kid: text, value: text },
}

/** A grant to execute once, which the gate signs before the action. */
const GRANT: Shape = {
  spec: oneOf('noa.execution-grant/0.1'),
  grantId: shortText,
  holdId: shortText,
  paramsHash: like(PARAMS_HASH),
  holdEnvelopeHash: like(HASH),
  approvalReceiptHash: like(HASH),
  issuedAt: isInstant,
  expiresAt: isInstant,
  maxUses: (value) => value === 1,
  nonce: like(/^[0-9a-f]{64}$/),
  sig: { alg: oneOf('ed25519'), kid: shortText, value: text },
}

/** Where a receipt departs from its form, as a pointer; undefined when it does not. */
export function noaFault(receipt: JsonObject): string | undefined {
  return faultOf(receipt, RECEIPT, '')
}

/** The same for an execution grant. */
export function noaGrantFault(grant: JsonObject): string | undefined {
  return faultOf(grant, GRANT, '')
}

function faultOf(value: JsonObject, shape: Shape, at: string): string | undefined {
  const names = new Map(Object.entries(shape).map(([key, check]) => [key.replace(/[?0]+$/, ''), { key, check }]))
  const unknown = Object.keys(value).find((name) => !names.has(name))
  if (unknown !== undefined) return `${at}/?` // not the name: it may be what was smuggled in
  for (const [name, { key, check }] of names) {
    const member = own(value, name)
    if (member === undefined && key.includes('?')) continue
    if (member === null && key.endsWith('0')) continue
    if (member === undefined) return `${at}/${name}`
    if (typeof check === 'function') {
      if (!check(member)) return `${at}/${name}`
    } else {
      const inner = isJsonObject(member) ? faultOf(member, check, `${at}/${name}`) : `${at}/${name}`
      if (inner) return inner
    }
  }
  return undefined
}

function isWhole(value: JsonValue): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:[Zz]|[+-](\d{2}):(\d{2}))$/

/** RFC 3339 that denotes a moment: real month lengths, second 60 allowed, offset at most 23:59. */
function isInstant(value: JsonValue): boolean {
  const match = typeof value === 'string' ? INSTANT.exec(value) : null
  if (!match) return false
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = match.slice(1).map((digits) => Number(digits ?? 0)) as number[]
  const days = new Date(Date.UTC(2000 + (year! % 400), month!, 0)).getUTCDate() // day 0 of the next month; 400 years repeat
  return (
    month! >= 1 &&
    month! <= 12 &&
    day! >= 1 &&
    day! <= days &&
    hour! <= 23 &&
    minute! <= 59 &&
    second! <= 60 &&
    offsetHour! <= 23 &&
    offsetMinute! <= 59
  )
}

/** The rule between members that a receipt of good form breaks, if any. */
export function noaIncoherence(receipt: JsonObject): string | undefined {
  const [agent, action, governance] = [part(receipt, 'agent'), part(receipt, 'action'), part(receipt, 'governance')]
  if (agent.principal === 'SANDBOX_SIM' && governance.sandboxed !== true) return 'R1: a sandbox simulator acts only in a sandbox'
  if (governance.verdict === 'SIMULATED' && governance.sandboxed !== true) return 'R2: what was simulated was in a sandbox'
  if (action.reversible === false && (action.rollbackRef ?? null) !== null) return 'R3: what cannot be undone has no reference to undo it'
  if (governance.verdict === 'ROLLED_BACK' && action.reversible !== true) return 'R4: what was undone could be undone'
  return undefined
}
