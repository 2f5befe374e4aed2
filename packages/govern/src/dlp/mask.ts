/**
 * Masks what a policy's rules find in one text.
 *
 * `strict`: what overlaps becomes one marker, so that no end of it is left, and all is looked at again until nothing
 * is found; the loader has refused patterns that find a marker. `aip-compat`: sources in order, each on the output of
 * the one before, once. Source: spec policy §6.5, checklist PW10.
 * @module
 */
import type { Pattern } from '../pattern.ts'
import type { Profile } from '../profiles.ts'
import { replaceEncoded } from './encoded.ts'
import { encodedMarker, marker, styledMarker } from './marker.ts'
import type { DlpAction, DlpRule, Hit, Source } from './rules.ts'

const MAX_ROUNDS = 4
/** Encodings within encodings that are opened. */
const NESTED = 1

export interface Masking {
  readonly sources: readonly Source[]
  readonly allow: readonly Pattern[]
  readonly detectEncoding: boolean
  readonly profile: Profile
  /** Of keyed hashes, 32 bytes. */
  readonly key: Uint8Array
  /** What is done about a rule's hits in this direction; undefined: the rule is about the other one. */
  actionOf(rule: DlpRule): DlpAction | undefined
  /** Counts one match under the name that the record shows. */
  count(name: string, rule: DlpRule): void
  /** Throws when this inspection has taken too long: repeated searches of hostile text are quadratic. */
  checkTime(): void
}

export function maskText(text: string, masking: Masking): string {
  return masking.profile === 'strict' ? maskUntilClean(text, masking) : maskInOrder(text, masking)
}

function maskInOrder(text: string, masking: Masking): string {
  let current = text
  for (const source of masking.sources)
    current = replaceHits(current, merge(takeHits(current, [source], masking, true)), masking, new Set())
  return replaceIn(current, masking)
}

function maskUntilClean(text: string, masking: Masking): string {
  const placed = new Set<string>()
  let current = text
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const hits = outside(placed, current, takeHits(current, masking.sources, masking, round === 0))
    const masked = replaceIn(replaceHits(current, merge(hits), masking, placed), masking)
    if (masked === current) return current
    current = masked
  }
  const [left] = outside(placed, current, takeHits(current, masking.sources, masking, false))
  return left ? marker(left.rule.name) : current
}

/** What is to be masked. What is only to be reported is counted, when `report` says so, and left. */
function takeHits(text: string, sources: readonly Source[], masking: Masking, report: boolean): readonly Hit[] {
  const taken: Hit[] = []
  for (const source of sources) {
    for (const hit of source.find(text)) {
      masking.checkTime()
      const action = masking.actionOf(hit.rule)
      if (action === undefined || isAllowed(text.slice(hit.start, hit.end), masking)) continue
      if (action !== 'warn') taken.push(hit)
      else if (report) masking.count(hit.rule.name, hit.rule)
    }
    masking.checkTime()
  }
  return taken
}

function isAllowed(value: string, { allow }: Masking): boolean {
  return allow.some((pattern) => pattern.matcher(value).matches())
}

/** One of a group of overlapping hits: the stretch of all, and every rule that has a part in it. */
interface Group {
  readonly start: number
  end: number
  readonly hits: Hit[]
}

function merge(hits: readonly Hit[]): readonly Group[] {
  const groups: Group[] = []
  for (const hit of hits.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = groups.at(-1)
    if (!last || hit.start >= last.end) groups.push({ start: hit.start, end: hit.end, hits: [hit] })
    else {
      last.end = Math.max(last.end, hit.end)
      last.hits.push(hit)
    }
  }
  return groups
}

function replaceHits(text: string, groups: readonly Group[], masking: Masking, placed: Set<string>): string {
  let masked = ''
  let done = 0
  for (const { start, end, hits } of groups) {
    for (const { rule } of new Map(hits.map((hit) => [`${hit.rule.name} ${hit.start}`, hit])).values()) masking.count(rule.name, rule)
    const [first] = hits
    const same = hits.every(({ rule }) => rule.mask === first!.rule.mask) // a group has a hit
    const shown = same ? styledMarker(first!.rule, text.slice(start, end), masking.key) : marker(first!.rule.name)
    if (shown !== marker(first!.rule.name)) placed.add(shown)
    masked += text.slice(done, start) + shown
    done = end
  }
  return masked + text.slice(done)
}

/** What a partial marker or a hash shows is no finding. */
function outside(placed: ReadonlySet<string>, text: string, hits: readonly Hit[]): readonly Hit[] {
  const places = Array.from(placed).flatMap((shown) => {
    const found: (readonly [number, number])[] = []
    for (let at = text.indexOf(shown); at >= 0; at = text.indexOf(shown, at + 1)) found.push([at, at + shown.length])
    return found
  })
  return places.length === 0 ? hits : hits.filter((hit) => !places.some(([start, end]) => hit.start >= start && hit.end <= end))
}

function replaceIn(text: string, masking: Masking): string {
  return masking.detectEncoding ? replaceEncoded(text, masking.profile, (decoded) => judgeDecoded(decoded, masking)) : text
}

/** The marker for an encoded run, when what it decodes to is sensitive. `strict` looks into an encoding within it. */
export function judgeDecoded(decoded: string, masking: Masking, nested = NESTED): string | undefined {
  masking.checkTime()
  for (const { rule } of firstHits(decoded, masking)) {
    masking.count(`${rule.name} (encoded)`, rule)
    if (masking.actionOf(rule) !== 'warn') return encodedMarker(rule.name)
  }
  if (masking.profile !== 'strict' || nested === 0) return undefined
  let inner: string | undefined
  replaceEncoded(decoded, masking.profile, (text) => {
    inner ??= judgeDecoded(text, masking, nested - 1)
    return undefined
  })
  return inner
}

/** The first hit of each source that counts. */
function* firstHits(text: string, masking: Masking): Generator<Hit> {
  for (const source of masking.sources) {
    for (const hit of source.find(text)) {
      masking.checkTime()
      if (masking.actionOf(hit.rule) === undefined || isAllowed(text.slice(hit.start, hit.end), masking)) continue
      yield hit
      break
    }
  }
}
