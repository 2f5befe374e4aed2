/**
 * Looks for sensitive data on its way through: every string leaf, the shape kept.
 *
 * The same object comes back when nothing was found. Pictures and other base64 members stay decodable:
 * they are left alone, or replaced by a marker in base64. In `strict` a member name that holds
 * something is masked like a value; two that come out alike are numbered, so that none is lost. Total: what cannot be looked at is decided
 * by `on_redaction_failure`.
 * Source: spec policy §6.5, checklist AW18.
 * @module
 */
import type { DlpMatch, Gate, Inspected } from '@sworn/recorder'
import type { Profile } from '../profiles.ts'
import { decodeBase64 } from './encoded.ts'
import { judgeDecoded, type Masking, maskText } from './mask.ts'
import { type DlpAction, type DlpRule, type DlpRules, rulesOf } from './rules.ts'

type Direction = DlpMatch['direction']

/** The pattern name under which a failed inspection is reported. */
export const SCAN_FAILED = 'scan_failed'

const MAX_DEPTH = 256
/** Shorter ones are looked at as text: no picture is that small, but a secret is. */
const MIN_BINARY = 64

export interface InspectionOptions {
  readonly rules: DlpRules | undefined
  readonly profile: Profile
  /** Milliseconds that never run backwards; the process's own when absent. */
  readonly now: (() => number) | undefined
  /** Of keyed hashes, 32 bytes; random when absent. */
  readonly key: Uint8Array | undefined
}

interface Inspection {
  readonly rules: DlpRules
  readonly profile: Profile
  readonly now: () => number
  readonly key: Uint8Array
}

interface Walk extends Masking {
  /** Characters that may still be scanned. */
  left: number
  readonly above: Set<object>
}

/** How often a name was found, and by which rule. */
type Counts = Map<string, { count: number; readonly rule: DlpRule }>

/** What a gate does with data; `value` is JSON, hostile, and so may anything in it be. */
export function createInspection({ rules, profile, now, key }: InspectionOptions): Pick<Gate, 'inspect' | 'inspectLog'> {
  if (!rules) return { inspect: (value) => ({ value, matches: [], blocked: false }) }
  const inspection = { rules, profile, now: now ?? (() => performance.now()), key: key ?? crypto.getRandomValues(new Uint8Array(32)) }
  const speaks = { request: speaksIn(rules, 'request'), response: speaksIn(rules, 'response') }
  return {
    inspect: (value, direction) =>
      speaks[direction] && scansIn(rules, direction) ? look(value, direction, inspection) : { value, matches: [], blocked: false },
    ...(rules.filterStderr && speaks.response && { inspectLog: (text: string) => look(text, 'response', inspection) }),
  }
}

function look(value: unknown, direction: Direction, { rules, profile, now, key }: Inspection): Inspected {
  const actionOf = (rule: DlpRule) => actionIn(rule, direction, rules)
  const counts: Counts = new Map()
  const end = now() + rules.maxMs
  const walk: Walk = {
    sources: rules.sources,
    allow: rules.allow,
    detectEncoding: rules.detectEncoding,
    profile,
    key,
    actionOf,
    count: (name, rule) => void counts.set(name, { count: (counts.get(name)?.count ?? 0) + 1, rule }),
    checkTime: () => {
      if (now() > end) throw new RangeError('scanning took too long')
    },
    left: rules.maxScanChars,
    above: new Set(),
  }
  try {
    return decide(value, maskValue(value, walk, MAX_DEPTH), { counts, direction, actionOf })
  } catch {
    return failed(value, direction, rules) // too deep, too large, too slow or not JSON
  }
}

/** Whether a rule is about this direction. */
function speaksIn(rules: DlpRules, direction: Direction): boolean {
  return rulesOf(rules).some((rule) => actionIn(rule, direction, rules) !== undefined)
}

function scansIn({ scanRequests, scanResponses }: DlpRules, direction: Direction): boolean {
  return direction === 'request' ? scanRequests : scanResponses
}

function actionIn({ scope, action }: DlpRule, direction: Direction, { onRequestMatch }: DlpRules): DlpAction | undefined {
  if (scope !== 'all' && scope !== direction) return undefined
  if (action) return action
  return direction === 'response' || onRequestMatch === 'redact' ? 'mask' : onRequestMatch
}

interface Found {
  readonly counts: Counts
  readonly direction: Direction
  readonly actionOf: (rule: DlpRule) => DlpAction | undefined
}

/** The strictest action counts for the whole: what is blocked is not masked. */
function decide(value: unknown, masked: unknown, { counts, direction, actionOf }: Found): Inspected {
  const found = Array.from(counts, ([pattern, { count, rule }]) => ({ pattern, count, action: actionOf(rule) ?? 'mask' }))
  const blocked = found.some(({ action }) => action === 'block')
  const matches = found.map(({ pattern, count, action }): DlpMatch => {
    return { pattern, matchCount: count, direction, dlpAction: action, redacted: action === 'mask' && !blocked }
  })
  return { value: blocked || !found.some(({ action }) => action === 'mask') ? value : masked, matches, blocked }
}

function failed(value: unknown, direction: Direction, { onFailure }: DlpRules): Inspected {
  const blocked = onFailure !== 'allow_original'
  const dlpAction = blocked ? 'block' : 'warn'
  return { value, matches: [{ pattern: SCAN_FAILED, matchCount: 0, direction, dlpAction, redacted: false }], blocked }
}

function maskValue(value: unknown, walk: Walk, depth: number): unknown {
  if (typeof value === 'string') return maskLeaf(value, walk)
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0 || walk.above.has(value)) throw new RangeError('too deep')
  walk.above.add(value)
  const masked = Array.isArray(value) ? maskList(value, walk, depth - 1) : maskObject(value, walk, depth - 1)
  walk.above.delete(value)
  return masked
}

function maskList(list: readonly unknown[], walk: Walk, depth: number): unknown {
  const masked = list.map((item) => maskValue(item, walk, depth))
  return masked.every((item, index) => Object.is(item, list[index])) ? list : masked
}

function maskObject(object: object, walk: Walk, depth: number): unknown {
  const entries = Object.entries(object)
  const masked = entries.map(([key, member]): [string, unknown] => [
    walk.profile === 'strict' ? maskLeaf(key, walk) : key,
    isBinary(object, key, member) ? maskBinary(member, walk) : maskValue(member, walk, depth),
  ])
  const isSame = ([key, member]: [string, unknown], index: number) => key === entries[index]![0] && Object.is(member, entries[index]![1])
  return masked.every(isSame) ? object : Object.fromEntries(numberAlike(masked, entries, walk))
}

/** Of members whose masked names came out alike the second gets ` (2)`; names that were not masked stay. */
function numberAlike(members: readonly [string, unknown][], before: readonly [string, unknown][], walk: Walk): [string, unknown][] {
  const taken = new Set(members.flatMap(([name], index) => (name === before[index]![0] ? [name] : [])))
  const seen = new Map<string, number>()
  return members.map(([masked, member], index) => {
    if (masked === before[index]![0]) return [masked, member]
    let count = seen.get(masked) ?? 0
    let name = masked
    do {
      count++
      name = count === 1 ? masked : `${masked} (${count})`
    } while (taken.has(name))
    seen.set(masked, count)
    taken.add(name)
    if (count > 1 && maskText(name, walk) !== name) throw new RangeError('no name is left that no pattern finds')
    return [name, member]
  })
}

/** Bounds what is scanned: `strict` gives up, `aip-compat` passes the rest unseen. */
function maskLeaf(text: string, walk: Walk): string {
  const room = walk.left
  walk.left -= text.length
  if (walk.left >= 0) return maskText(text, walk)
  if (walk.profile === 'strict') throw new RangeError('too large')
  return room > 0 ? maskText(text.slice(0, room), walk) + text.slice(room) : text
}

/** MCP content with base64 in it: `data` of an image or sound, `blob` of a resource. */
function isBinary(object: object, key: string, member: unknown): member is string {
  if (typeof member !== 'string' || member.length < MIN_BINARY || member.length % 4 !== 0) return false
  const { type } = object as { type?: unknown } // read as unknown
  const holds = key === 'data' ? type === 'image' || type === 'audio' : key === 'blob'
  return holds && /^[A-Za-z0-9+/]+={0,2}$/.test(member)
}

function maskBinary(base64: string, walk: Walk): string {
  if (!walk.detectEncoding) return base64
  walk.left -= base64.length
  if (walk.left < 0 && walk.profile === 'strict') throw new RangeError('too large')
  const markers = decodeBase64(base64, 'aip-compat').map((decoded) => judgeDecoded(decoded, walk))
  const found = markers.find((text) => text !== undefined)
  return found ? Buffer.from(found).toString('base64') : base64
}
