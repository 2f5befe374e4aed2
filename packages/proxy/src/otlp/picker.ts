/**
 * Reads the members of one span or log record by the table, and knows what no member took. Hostile input.
 * @module
 */
import { type JsonValue, parseStrict } from '@sworn/recorder'
import { MEMBERS, type Member } from './conventions.ts'
import type { Told } from './told.ts'
import { type Attributes, type JsonObject, numberOf, textOf } from './values.ts'

const MAX_DEPTH = 60

export interface Picker {
  /** Text that is not empty; of several, the first. */
  text(member: Member): string | undefined
  number(member: Member): number | undefined
  /** 0 or more, whole. */
  count(member: Member): number | undefined
  /** A text that is a JSON object or array is read: then rules for its members hold. */
  value(member: Member): JsonValue | undefined
  /** What no member took of the record's own attributes, and of those of its resource. */
  rest(): { readonly attributes: JsonObject; readonly resource: JsonObject }
}

/**
 * @param told the record's own attributes win over those of its resource
 * @param beside attributes of an event of it, which stay there; the record's own win
 */
export function createPicker({ attributes, resource }: Pick<Told, 'attributes' | 'resource'>, beside?: Attributes): Picker {
  const own = { attributes: beside ? new Map([...beside, ...attributes]) : attributes, taken: new Set<string>() }
  const around = { attributes: resource, taken: new Set<string>() }
  function pick<T>(member: Member, read: (value: JsonValue | undefined) => T | undefined): T | undefined {
    for (const { attributes: from, taken } of [own, around]) {
      for (const name of MEMBERS[member]) {
        const value = from.get(name)
        const found = read(value)
        if (found === undefined) continue
        if (!Array.isArray(value) || value.length === 1 || typeof found === 'object') taken.add(name) // else the first of several
        return found
      }
    }
    return undefined
  }
  const without = (all: Attributes, { taken }: typeof own) => Object.fromEntries([...all].filter(([name]) => !taken.has(name)))
  return {
    text: (member) => pick(member, (value) => wordOf(Array.isArray(value) ? value[0] : value)),
    number: (member) => pick(member, numberOf),
    count: (member) => pick(member, countOf),
    value: (member) => pick(member, (value) => (typeof value === 'string' ? readJson(value) : value)),
    rest: () => ({ attributes: without(attributes, own), resource: without(resource, around) }),
  }
}

/** Some senders give ids and codes as numbers. */
function wordOf(value: JsonValue | undefined): string | undefined {
  return textOf(typeof value === 'number' ? String(value) : value)
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
