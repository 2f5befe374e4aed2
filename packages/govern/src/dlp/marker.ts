/** What stands for masked text: AIP's form, with the pattern's name as the policy spells it. @module */
import { createHmac } from 'node:crypto'
import type { DlpRule } from './rules.ts'

const SHOWN = 4
/** Shorter text shows nothing of itself: a third of it would be too much. */
const MIN_PARTIAL = 12
const HASH_CHARS = 16

export const marker = (name: string): string => `[REDACTED:${name}]`
export const encodedMarker = (name: string): string => marker(`${name}:encoded`)

/** The marker in the rule's style. @param key of the keyed hash, 32 bytes */
export function styledMarker({ name, mask }: DlpRule, value: string, key: Uint8Array): string {
  if (mask === 'hash') return marker(`${name}:${createHmac('sha256', key).update(value, 'utf8').digest('hex').slice(0, HASH_CHARS)}`)
  return mask === 'partial' && value.length >= MIN_PARTIAL ? marker(`${name}:***${value.slice(-SHOWN)}`) : marker(name)
}
