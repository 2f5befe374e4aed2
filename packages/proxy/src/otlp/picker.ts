/**
 * Reads the members of one span or log record by the table, and knows what no member took. Hostile input.
 * @module
 */
import { type JsonValue, parseStrict } from '@sworn/recorder'
import { MEMBERS, type Member } from './conventions.ts'
import type { Told } from './told.ts'
import { type JsonObject, numberOf, textOf } from './values.ts'

const MAX_DEPTH = 60

export interface Picker {
  /** Text that is not empty; of several, the first. */
  text(member: Member): string | undefined
  number(member: Member): number | undefined
  /** 0 or more, whole. */
  count(member: Member): number | undefined
  /** A text that is a JSON object or array is read: then rules for its members hold. */
  value(member: Member): JsonValue | undefined
  /** The record's own attributes that no member took. */
  rest(): JsonObject
}

/** @param told the record's own attributes win over those of its resource */
export function createPicker({ attributes, resource }: Pick<Told, 'attributes' | 'resource'>): Picker {
  const taken = new Set<string>()
  function pick<T>(member: Member, read: (value: JsonValue | undefined) => T | undefined): T | undefined {
    for (const from of [attributes, resource]) {
      for (const name of MEMBERS[member]) {
        const found = read(from.get(name))
        if (found === undefined) continue
        taken.add(name)
        return found
      }
    }
    return undefined
  }
  return {
    text: (member) => pick(member, (value) => textOf(Array.isArray(value) ? value[0] : value)),
    number: (member) => pick(member, numberOf),
    count: (member) => pick(member, countOf),
    value: (member) => pick(member, (value) => (typeof value === 'string' ? readJson(value) : value)),
    rest: () => Object.fromEntries([...attributes].filter(([name]) => !taken.has(name))),
  }
}

function countOf(value: JsonValue | undefined): number | undefined {
  const number = numberOf(value)
  return number !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

function readJson(text: string): JsonValue {
  if (!/^\s*[[{]/.test(text)) return text
  try {
    return parseStrict(text, { maxDepth: MAX_DEPTH })
  } catch {
    return text // it stays what it is: text
  }
}
