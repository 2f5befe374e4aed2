/**
 * Names as runs of words: `stripeApiKey`, `stripe_api_key` and `Stripe-API-Key` are one name.
 *
 * A rule matches a run of whole words, also written as one word (`apikey`); `token` does not match before
 * id, count, type, limit, usage or expiry, `authorization` not before decision, which is an event type.
 * Source: docs/format.md (spec events §6).
 * @module
 */

export const DEFAULT_KEYS = [
  'password',
  'passwd',
  'pwd',
  'secret',
  'token',
  'api_key',
  'authorization',
  'cookie',
  'credit_card',
  'ssn',
  'private_key',
] as const

/** Rule -> the words before which it names no secret. */
const HARMLESS_BEFORE: ReadonlyMap<string, ReadonlySet<string | undefined>> = new Map([
  ['token', new Set(['id', 'count', 'type', 'limit', 'usage', 'expiry'])],
  ['authorization', new Set(['decision'])],
])
const WORDS = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g
const MAX_CACHED = 4096
const MAX_NAME = 1024

/** ASCII words in lower case, split at case changes, digits and every other character. */
export function splitWords(name: string): readonly string[] {
  return (name.slice(0, MAX_NAME).match(WORDS) ?? []).map((word) => word.toLowerCase())
}

/** The first rule that matches a name, or undefined. Remembers at most 4,096 short names. */
export type KeyRules = (name: string) => string | undefined

export function createKeyRules(rules: readonly string[]): KeyRules {
  const split = rules.map((rule) => ({ rule, words: splitWords(rule) })).filter(({ words }) => words.length > 0)
  const known = new Map<string, string | undefined>()
  return (name) => {
    if (known.has(name)) return known.get(name)
    const words = splitWords(name)
    const found = split.find((rule) => hasRun(words, rule.words))?.rule
    if (known.size < MAX_CACHED && name.length <= 64) known.set(name, found)
    return found
  }
}

function hasRun(words: readonly string[], rule: readonly string[]): boolean {
  const joined = rule.join('')
  for (let i = 0; i < words.length; i++) {
    const whole = words[i] === joined
    if (!whole && !rule.every((word, k) => words[i + k] === word)) continue
    const after = words[i + (whole ? 1 : rule.length)]
    if (!HARMLESS_BEFORE.get(joined)?.has(after)) return true
  }
  return false
}
