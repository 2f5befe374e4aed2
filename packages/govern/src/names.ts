/**
 * One normaliser for tool and method names, so that no two checks read one name differently.
 *
 * NFKC, simple lower case per code point, trim, then only letters, marks, numbers, punctuation, symbols
 * and the ASCII space stay. Homoglyphs of other scripts are not folded. Source: spec policy §6.3.
 * @module
 */
import type { Profile } from './profiles.ts'

const SPACE = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const ENDS = [new RegExp(`^${SPACE}+`, 'u'), new RegExp(`(?<!${SPACE})${SPACE}+$`, 'u')] as const
const DROPPED = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu
const PLAIN = /^[a-z0-9_./-]*$/
const MAX_ROUNDS = 8

/**
 * The form in which names are compared. `strict`: idempotent, reached in at most eight rounds;
 * `aip-compat`: one pass, as AIP's reference does it.
 */
export function normalizeName(name: string, profile: Profile): string {
  if (PLAIN.test(name)) return name
  let current = normalizeOnce(name)
  if (profile === 'aip-compat') return current
  for (let round = 1; round < MAX_ROUNDS; round++) {
    const next = normalizeOnce(current)
    if (next === current) break
    current = next
  }
  return current
}

function normalizeOnce(name: string): string {
  const lower = Array.from(name.normalize('NFKC'), toLower).join('')
  return lower.replace(ENDS[0], '').replace(ENDS[1], '').replace(DROPPED, '')
}

/** Simple case mapping: U+0130 has a two-character lower case in full mapping only. */
function toLower(character: string): string {
  return character === '\u0130' ? 'i' : character.toLowerCase()
}
