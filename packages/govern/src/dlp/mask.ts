/**
 * Masks what the policy's patterns find in one text.
 *
 * Patterns run in order, each on the output of the one before. In `strict` they run until none finds
 * anything: the loader has refused patterns that find a marker. Source: spec policy §6.5.
 * @module
 */
import { findMatches } from '../matches.ts'
import type { DlpPattern } from '../policy/types.ts'
import type { Profile } from '../profiles.ts'
import { replaceEncoded } from './encoded.ts'
import { encodedMarker, marker } from './marker.ts'

const MAX_ROUNDS = 4

export interface Masking {
  readonly patterns: readonly DlpPattern[]
  readonly detectEncoding: boolean
  readonly profile: Profile
  /** Counts one match under the name that the record shows. */
  count(name: string): void
  /** Throws when this inspection has taken too long: repeated searches of hostile text are quadratic. */
  checkTime(): void
}

export function maskText(text: string, masking: Masking): string {
  const rounds = masking.profile === 'strict' ? MAX_ROUNDS : 1
  let current = text
  for (let round = 0; round < rounds; round++) {
    const masked = maskOnce(current, masking)
    if (masked === current) return current
    current = masked
  }
  const left = masking.profile === 'strict' ? masking.patterns.find(({ pattern }) => pattern.matcher(current).find()) : undefined
  return left ? marker(left.name) : current
}

function maskOnce(text: string, masking: Masking): string {
  const plain = masking.patterns.reduce((current, { name, pattern }) => replaceMatches(current, name, pattern, masking), text)
  return masking.detectEncoding ? replaceEncoded(plain, masking.profile, (decoded) => judgeDecoded(decoded, masking)) : plain
}

function replaceMatches(text: string, name: string, pattern: DlpPattern['pattern'], { count, checkTime }: Masking): string {
  let masked = ''
  let done = 0
  for (const [start, end] of findMatches(pattern, text)) {
    count(name)
    checkTime()
    masked += text.slice(done, start) + marker(name)
    done = end
  }
  checkTime()
  return done === 0 ? text : masked + text.slice(done)
}

/** The marker for an encoded run, when what it decodes to is sensitive. */
export function judgeDecoded(decoded: string, { patterns, count, checkTime }: Masking): string | undefined {
  checkTime()
  const found = patterns.find(({ pattern }) => pattern.matcher(decoded).find())
  if (!found) return undefined
  count(`${found.name} (encoded)`)
  return encodedMarker(found.name)
}
