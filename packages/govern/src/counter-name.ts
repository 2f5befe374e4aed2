/**
 * Names of counters: hashed, because names of people and tools are of any length, and no part of one can pass for
 * another; in groups, so that nothing takes them for a secret.
 * @module
 */
import { hash } from 'node:crypto'

/** @param prefix says what is counted, in words */
export function counterName(prefix: string, parts: readonly (string | undefined)[]): string {
  const digest = hash('sha256', JSON.stringify(parts.map((part) => part ?? null)), 'hex')
  return `${prefix}.${digest.slice(0, 24).replace(/.{4}(?=.)/g, '$&-')}`
}
