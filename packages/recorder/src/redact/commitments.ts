/**
 * What one event commits: `commit` rules put a digest in the place of a value, and its row aside for the vault.
 *
 * Total: a value without a subject, beyond a bound, or for which no key is to be had is masked, and the event says so
 * (`metadata.commit_omitted`). Source: docs/format.md, "Committed values".
 * @module
 */
import { below } from '../event/pointer.ts'
import type { JsonValue } from '../event/sanitize.ts'
import { MARKER, markerOf, type PathRule, type Vault } from './types.ts'

/** Bytes of one committed value, rows of one event, and characters of all its rows: what is beyond is masked. */
const MAX_VALUE_BYTES = 65_536
export const MAX_ROWS = 64
const MAX_ROWS_CHARS = 131_072
const MAX_SUBJECT_CHARS = 1024

type Members = Readonly<Record<string, JsonValue>>

export interface Commitments {
  /** `{"$sd": digest}`, or a marker. @param value redacted by all other rules */
  commit(value: JsonValue, path: readonly string[], rule: PathRule): JsonValue
  /** A keyed hash of a member's value from before redaction; undefined when it has no key or more than one. */
  hash(member: string, value: JsonValue): string | undefined
  /** True when something in this member was committed. */
  has(member: string): boolean
  readonly rows: readonly string[]
  /** True when something was masked that a rule wanted committed. */
  readonly omitted: boolean
}

export interface CommitContext {
  readonly vault?: Vault
  /** Under the ledger's MAC key. */
  readonly hash: (value: JsonValue) => string | undefined
}

/** @param event sanitised, not redacted: subjects are read from it */
export function createCommitments(event: Members, { vault, hash }: CommitContext): Commitments {
  const rows: string[] = []
  const subjects = new Map<string, Set<string>>()
  const eventId = String(event.event_id)
  let chars = 0
  let omitted = false

  function seal(value: JsonValue, path: readonly string[], { subject = 'user' }: PathRule): JsonValue | undefined {
    const name = findSubject(event, subject)
    if (!vault || name === undefined || rows.length >= MAX_ROWS || Buffer.byteLength(JSON.stringify(value)) > MAX_VALUE_BYTES)
      return undefined
    const sealed = vault.commit(value, { subject: name, eventId, pointer: path.reduce(below, '') })
    if (!sealed || chars + sealed.row.length > MAX_ROWS_CHARS) return undefined
    chars += sealed.row.length
    rows.push(sealed.row)
    const member = path[0] ?? ''
    subjects.set(member, (subjects.get(member) ?? new Set()).add(name))
    return { $sd: sealed.digest }
  }

  return {
    rows,
    get omitted() {
      return omitted
    },
    commit(value, path, rule) {
      if (typeof value === 'string' && MARKER.test(value)) return value // nothing is left of it
      const sealed = seal(value, path, rule)
      omitted ||= sealed === undefined
      return sealed ?? markerOf('commit')
    },
    has: (member) => subjects.has(member),
    hash(member, value) {
      const [first, ...others] = subjects.get(member) ?? []
      if (first === undefined) return hash(value)
      return others.length === 0 ? vault?.hash(first, value) : undefined
    },
  }
}

/** The text, or the number as text, at a dotted path. */
function findSubject(event: Members, path: string): string | undefined {
  let value: JsonValue | undefined = event
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Members)[name] // an array's items are its members too
  }
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && text !== '' && text.length <= MAX_SUBJECT_CHARS ? text : undefined
}
