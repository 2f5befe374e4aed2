/**
 * Foreign records as they were written: JSON, with the digits of every number that JavaScript would print otherwise.
 *
 * Foreign hashes cover digits (`1763164801.0` is not `1763164801`), so a record keeps them beside its value: pointer
 * to the number -> its text. Input is attacker-controlled; bounds are those of `parseStrict`.
 * Source: RFC 8259; RFC 6901 for pointers.
 * @module
 */
import { isJsonObject, type JsonObject, type JsonValue, parseStrict, SwornError } from '@sworn/verify'
import { LosslessNumber, parse, stringify } from 'lossless-json'

/** JSON pointer of a number -> the number as it was written. */
export type Digits = Readonly<Record<string, string>>

export interface Native {
  readonly value: JsonObject
  readonly digits: Digits
}

/** How a dialect prints a number of which it has no digits. */
export type NumberFormat = (n: number) => string

/**
 * Parses one record.
 * @param usual digits that it prints are not kept
 * @throws SwornError JSON_DUPLICATE_MEMBER or JSON_INVALID; JSON_INVALID too when it is no object
 */
export function parseNative(text: string, usual?: NumberFormat): Native {
  const value = parseStrict(text)
  if (!isJsonObject(value)) throw new SwornError('JSON_INVALID', 'a JSON object was expected')
  return { value, digits: findDigits(text, usual) }
}

/** The numbers of a JSON text, at most 64 deep, that `usual` would print with other digits. */
export function findDigits(text: string, usual: NumberFormat = JSON.stringify): Digits {
  const digits: [string, string][] = []
  const open: [string, unknown][] = [['', parse(text)]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [at, value] = next
    if (value instanceof LosslessNumber) {
      if (usual(Number(value.value)) !== value.value) digits.push([at, value.value])
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) open.push([`${at}/${escapePointer(name)}`, member])
    }
  }
  return Object.fromEntries(digits)
}

/** Compact JSON with every number that still has the value of its digits written with them. */
export function formatNative(value: JsonValue, digits: Digits = {}): string {
  return Object.keys(digits).length === 0 ? JSON.stringify(value) : (stringify(withDigits(value, digits)) ?? '')
}

/** A copy in which `LosslessNumber` stands for each number of `digits` that has not changed; the rest is shared. */
export function withDigits(value: JsonValue, digits: Digits): unknown {
  const root: Branch = { below: new Map() }
  for (const [at, text] of Object.entries(digits)) {
    let branch = root
    for (const name of at.split('/').slice(1)) {
      const next: Branch = branch.below.get(name) ?? { below: new Map() }
      branch.below.set(name, next)
      branch = next
    }
    branch.text = text
  }
  return graft(value, root)
}

/** Digits by the steps of their pointers, escaped as these are. */
interface Branch {
  text?: string
  readonly below: Map<string, Branch>
}

function graft(value: JsonValue, { text, below }: Branch): unknown {
  if (typeof value === 'number') return text !== undefined && Number(text) === value ? new LosslessNumber(text) : value
  if (below.size === 0 || typeof value !== 'object' || value === null) return value
  const take = (name: string, member: JsonValue) => {
    const branch = below.get(name)
    return branch ? graft(member, branch) : member
  }
  if (Array.isArray(value)) return value.map((item, i) => take(String(i), item))
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, take(escapePointer(name), member)]))
}

/** True for the same JSON value; members in any order. */
export function equalJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equalJson(item, b[i]))
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equalJson(a[name], b[name]))
}

function escapePointer(name: string): string {
  if (!name.includes('~') && !name.includes('/')) return name
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
