/**
 * The hash that names a policy: of what it says, not of how it is laid out or commented.
 *
 * "sha256:" and the hex SHA-256 of the RFC 8785 bytes of the parsed document. Source: spec events §1.
 * @module
 */
import { hash } from 'node:crypto'

/** @param document parsed policy: JSON values with finite numbers and well-formed strings only */
export function hashPolicy(document: unknown): string {
  return `sha256:${hash('sha256', canonicalJson(document))}`
}

/** RFC 8785 for values that are already JSON: ECMAScript prints numbers and strings as §3.2.2 asks. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)) // UTF-16 code units, §3.2.3
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
}
