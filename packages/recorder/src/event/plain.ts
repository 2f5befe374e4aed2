/**
 * The quick look that spares most events the copy: is this value JSON already?
 *
 * `true` promises that JSON.stringify prints every value as it is, for a value that does not change between
 * reads; lone surrogates alone are left to whoever prints: they show as `\\ud…` in the text. What a trap or getter
 * answers later is harmless: the printed bytes are scanned, not the value.
 * Source: docs/format.md (spec ledger §2.2, payload rules).
 * @module
 */
import { MAX_DEPTH, MAX_NODES, MAX_STRING_CHARS } from './bounds.ts'

/** False for anything that is not plain JSON within the bounds. May throw what a getter throws. */
export function isPlainJson(value: unknown): boolean {
  return walk(value, 0, { nodes: 0 })
}

function walk(value: unknown, depth: number, count: { nodes: number }): boolean {
  switch (typeof value) {
    case 'string':
      return value.length <= MAX_STRING_CHARS
    case 'number':
      return Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value))
    case 'boolean':
      return true
    case 'object':
      if (value === null) return true
      if (depth >= MAX_DEPTH || ++count.nodes > MAX_NODES) return false
      return Array.isArray(value) ? plainArray(value, depth, count) : plainObject(value, depth, count)
    default:
      return false
  }
}

function plainArray(array: readonly unknown[], depth: number, count: { nodes: number }): boolean {
  count.nodes += array.length
  if (count.nodes > MAX_NODES || Object.getPrototypeOf(array) !== Array.prototype || 'toJSON' in array) return false
  for (let i = 0; i < array.length; i++) if (!walk(array[i], depth + 1, count)) return false
  return true
}

function plainObject(object: object, depth: number, count: { nodes: number }): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const name in object) {
    if (!walk((object as Record<string, unknown>)[name], depth + 1, count)) return false // `name` is a key of it
  }
  return (object as { toJSON?: unknown }).toJSON === undefined
}
