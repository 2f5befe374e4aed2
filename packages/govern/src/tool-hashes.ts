/**
 * What a server says a tool is, as a hash: a description or a schema that changes unseen is how a tool is poisoned.
 *
 *   `sha256:` + hex( SHA-256( RFC 8785 bytes of {name, description, inputSchema} ) ), likewise sha384 and sha512
 *
 * A member that the server leaves out is left out here. Source: spec policy §6.1 (`schema_hash`).
 * @module
 */
import { hash } from 'node:crypto'
import { canonicalJson } from './policy/canonical.ts'

const ALGORITHMS = ['sha256', 'sha384', 'sha512'] as const
const MEMBERS = ['name', 'description', 'inputSchema']

/** The definition's three hashes, SHA-256 first. @param definition one of `tools` as `JSON.parse` gave it */
export function hashTool(definition: object): readonly [string, string, string] {
  const named = Object.fromEntries(Object.entries(definition).filter(([name, value]) => MEMBERS.includes(name) && value !== undefined))
  const text = canonicalJson(named)
  const [first, second, third] = ALGORITHMS.map((algorithm) => `${algorithm}:${hash(algorithm, text)}`)
  return [first!, second!, third!] // three algorithms
}
