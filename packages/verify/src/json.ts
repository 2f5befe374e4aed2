/**
 * JSON that every reader understands alike.
 *
 * Refuses what parsers disagree about: a member name that occurs twice at any depth (escapes resolved),
 * lone surrogates, numbers beyond binary64, invalid UTF-8, nesting deeper than the bound. Used for reserved
 * records and strict checks; the chain itself never parses. Source: RFC 8259, RFC 7493 (I-JSON).
 * @module
 */
import { text as decode } from './bytes.ts'
import { SwornError } from './errors.ts'

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject
export interface JsonObject {
  [name: string]: JsonValue
}

export interface StrictOptions {
  /** Arrays and objects within each other, 64 when not given. */
  readonly maxDepth?: number
  /** For a reader that replaces escaped halves of surrogate pairs itself; they are refused when not given. */
  readonly loneSurrogates?: 'keep'
}

const NUMBER = /-?[0-9][0-9.eE+-]*/y

/**
 * Parses one JSON text.
 *
 * @param input attacker-controlled; bytes must be UTF-8
 * @throws SwornError JSON_DUPLICATE_MEMBER; JSON_INVALID for everything else
 */
export function parseStrict(input: Uint8Array | string, options: StrictOptions = {}): JsonValue {
  const source = typeof input === 'string' ? input : decodeJson(input)
  if (!source.isWellFormed()) throw invalid('text without lone surrogates was expected')
  checkTokens(source, options)
  try {
    return JSON.parse(source) as JsonValue // JSON.parse makes nothing else
  } catch {
    throw invalid('JSON was expected') // no cause: its message would quote the text
  }
}

/** True for a JSON object, as opposed to an array, null or a scalar. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function decodeJson(bytes: Uint8Array): string {
  try {
    return decode(bytes)
  } catch {
    throw invalid('UTF-8 was expected')
  }
}

/** Walks the tokens of a text that may not be JSON at all; syntax is left to JSON.parse. */
function checkTokens(source: string, { maxDepth = 64, loneSurrogates }: StrictOptions): void {
  const open: (Set<string> | undefined)[] = [] // member names of the objects around, undefined for arrays
  let nameNext = false
  for (let at = 0; at < source.length; at++) {
    const character = source[at]!
    if (character === '"') {
      const end = stringEnd(source, at)
      checkString(source.slice(at, end), nameNext ? open.at(-1) : undefined, loneSurrogates)
      nameNext = false
      at = end - 1
    } else if (character === '{' || character === '[') {
      if (open.length >= maxDepth) throw invalid(`nesting of at most ${maxDepth} was expected`)
      open.push(character === '{' ? new Set() : undefined)
      nameNext = character === '{'
    } else if (character === '}' || character === ']') open.pop()
    else if (character === ',') nameNext = open.at(-1) !== undefined
    else at += numberLength(source, at)
  }
}

/** The offset behind the closing quote. */
function stringEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === '"') return at + 1
  }
  throw invalid('the end of a string was expected')
}

/** Checks a string token, and as a member name when `names` is given. */
function checkString(token: string, names: Set<string> | undefined, loneSurrogates: StrictOptions['loneSurrogates']): void {
  const value = token.includes('\\') ? stringValue(token) : token.slice(1, -1)
  if (loneSurrogates !== 'keep' && !value.isWellFormed()) throw invalid('text without lone surrogates was expected')
  if (names?.has(value)) throw new SwornError('JSON_DUPLICATE_MEMBER', 'member names that differ were expected')
  names?.add(value)
}

function stringValue(token: string): string {
  try {
    return JSON.parse(token) as string // a string token or a syntax error
  } catch {
    throw invalid('JSON was expected')
  }
}

/** How far to skip behind the first character of a number; 0 when none starts here. */
function numberLength(source: string, at: number): number {
  NUMBER.lastIndex = at
  const token = NUMBER.exec(source)?.[0]
  if (token === undefined) return 0
  if (!Number.isFinite(Number(token))) throw invalid('a finite number was expected')
  return token.length - 1
}

function invalid(message: string): SwornError {
  return new SwornError('JSON_INVALID', message)
}

/**
 * As `String`, of what was read from JSON. An object or a list is `[object]`: JavaScript makes no text of one that has a member
 * `toString`, but throws.
 */
export function asText(value: unknown): string {
  return typeof value === 'object' && value !== null ? '[object]' : String(value)
}
