/**
 * JSON with comments and trailing commas, parsed with positions, so that a file can be edited in place.
 *
 * VS Code's dialect: `//` and block comments, a comma before a closing bracket. Everything else is RFC 8259.
 * Duplicate member names are refused: two readers could mean two different servers. Hostile input: depth
 * at most 64, 16 Mi characters.
 * @module
 */
import { SwornError } from '@sworn/verify'

export interface JsonNode {
  /** Offsets into the text: `text.slice(start, end)` is the node. */
  readonly start: number
  readonly end: number
  /** Where the member begins that this is the value of; `start` for everything else. */
  readonly from: number
  /** The plain value. */
  readonly value: unknown
  /** Of an object. */
  readonly members?: ReadonlyMap<string, JsonNode>
  /** Of an array. */
  readonly items?: readonly JsonNode[]
}

interface Cursor {
  readonly text: string
  readonly name: string
  at: number
}

const MAX_DEPTH = 64
const MAX_CHARS = 16 << 20
/** Long runs are one step each: an engine that counts steps on its stack survives megabytes. */
const SPACE = /(?:[ \t\r\n\ufeff]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y
const ATOM = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** @throws SwornError CONFIG_INVALID at `name:line:column` */
export function parseJsonc(text: string, name: string): JsonNode {
  if (text.length > MAX_CHARS) throw new SwornError('CONFIG_INVALID', `a file of at most ${MAX_CHARS} characters was expected`, name)
  const cursor: Cursor = { text, name, at: 0 }
  skip(cursor)
  const node = parseNode(cursor, 0)
  skip(cursor)
  if (cursor.at < text.length) throw refuse(cursor, 'the end of the file was expected')
  return node
}

function parseNode(c: Cursor, depth: number): JsonNode {
  if (depth > MAX_DEPTH) throw refuse(c, `nesting of at most ${MAX_DEPTH} was expected`)
  if (c.text[c.at] === '{') return parseObject(c, depth)
  if (c.text[c.at] === '[') return parseArray(c, depth)
  const start = c.at
  const token = match(c, STRING) ?? match(c, ATOM)
  if (token === undefined) throw refuse(c, 'a JSON value was expected')
  return { start, from: start, end: c.at, value: JSON.parse(token) }
}

function parseObject(c: Cursor, depth: number): JsonNode {
  const start = c.at++
  const members = new Map<string, JsonNode>()
  while (!closes(c, '}', members.size > 0)) {
    const from = c.at
    const key = match(c, STRING)
    if (key === undefined) throw refuse(c, 'a member name was expected')
    const name: string = JSON.parse(key)
    if (members.has(name)) throw refuse(c, 'each member name once was expected')
    skip(c)
    if (c.text[c.at++] !== ':') throw refuse(c, 'a colon was expected')
    skip(c)
    members.set(name, { ...parseNode(c, depth + 1), from })
  }
  return { start, from: start, end: c.at, value: Object.fromEntries([...members].map(([name, node]) => [name, node.value])), members }
}

function parseArray(c: Cursor, depth: number): JsonNode {
  const start = c.at++
  const items: JsonNode[] = []
  while (!closes(c, ']', items.length > 0)) items.push(parseNode(c, depth + 1))
  return { start, from: start, end: c.at, value: items.map(({ value }) => value), items }
}

/** Steps over the comma before the next item, or over the closing bracket. */
function closes(c: Cursor, bracket: string, needsComma: boolean): boolean {
  skip(c)
  if (needsComma && c.text[c.at] === ',') {
    c.at++
    skip(c)
  } else if (needsComma && c.text[c.at] !== bracket) throw refuse(c, `a comma or ${bracket} was expected`)
  if (c.text[c.at] !== bracket) return false
  c.at++
  return true
}

function skip(c: Cursor): void {
  match(c, SPACE)
}

function match(c: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = c.at
  const found = pattern.exec(c.text)?.[0]
  if (found !== undefined) c.at += found.length
  return found
}

function refuse(c: Cursor, message: string): SwornError {
  const before = c.text.slice(0, c.at)
  const line = before.split('\n').length
  return new SwornError('CONFIG_INVALID', message, `${c.name}:${line}:${c.at - before.lastIndexOf('\n')}`)
}
