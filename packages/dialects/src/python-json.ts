/**
 * JSON as Python's `json.dumps` writes it, for formats whose hash is over that text.
 *
 * ASCII only, members sorted by code point when asked, floats as `repr` prints them. A number that came with its
 * digits keeps them. Source: Python 3 library, json (ensure_ascii, sort_keys, separators) and float.__repr__.
 * @module
 */
import type { JsonValue } from '@sworn/verify'
import { LosslessNumber } from 'lossless-json'
import { type Digits, withDigits } from './native.ts'

export interface PythonOptions {
  /** `sort_keys=True`. */
  readonly sort?: boolean
  /** `separators=(',', ':')` instead of Python's `', '` and `': '`. */
  readonly compact?: boolean
  readonly digits?: Digits
}

/** The text of a value; nesting at most as deep as a parsed record. */
export function pythonJson(value: JsonValue, options: PythonOptions = {}): string {
  const { sort = false, compact = false, digits = {} } = options
  const [comma, colon] = compact ? [',', ':'] : [', ', ': ']
  const write = (v: unknown): string => {
    if (v instanceof LosslessNumber) return v.value
    if (typeof v === 'number') return pythonNumber(v)
    if (typeof v === 'string') return pythonString(v)
    if (Array.isArray(v)) return `[${v.map(write).join(comma)}]`
    if (typeof v !== 'object' || v === null) return String(v)
    const members = sort ? Object.entries(v).sort(([a], [b]) => compareCodePoints(a, b)) : Object.entries(v)
    return `{${members.map(([name, member]) => `${pythonString(name)}${colon}${write(member)}`).join(comma)}}`
  }
  return write(withDigits(value, digits))
}

/** A JSON number that Python, having read it, writes the same way. */
export function pythonNumber(n: number): string {
  if (Number.isInteger(n) && Math.abs(n) < 1e21) return JSON.stringify(n) // an int to Python
  const [mantissa, exponent] = n.toExponential().split('e') as [string, string]
  const power = Number(exponent)
  if (power >= -4 && power < 16) return String(n)
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** A float, with a point, as `time.time()` gives it. */
export function pythonFloat(n: number): string {
  return Number.isInteger(n) ? `${n}.0` : pythonNumber(n)
}

function pythonString(s: string): string {
  const text = JSON.stringify(s)
  if (!/[^\x00-\x7e]/.test(text)) return text
  return text.replace(/[^\x00-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Order of Unicode code points, in which astral characters come last; UTF-16 units would put them before U+E000. */
export function compareCodePoints(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
