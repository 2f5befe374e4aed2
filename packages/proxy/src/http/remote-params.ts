/**
 * Fields that repeat arguments: a tool of the stateless era marks them in its schema (`x-mcp-header`), and whoever calls
 * it over HTTP sends them.
 *
 * A server refuses a call without its fields, so the definitions are learnt as they pass. One whose marks are wrong is
 * not shown to the client. What passes is bounded by the frame that it came in.
 * Source: MCP 2026-07-28 "Streamable HTTP", custom headers from tool parameters.
 * @module
 */
import { isMembers, type Message, memberOf } from '../frames/read.ts'
import { remember } from '../relay/session.ts'
import { encodeField } from './headers.ts'

const MARK = 'x-mcp-header'
const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,128}$/
const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'])
/** Members of a schema that hold values, where a mark is none. */
const DATA: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples'])
/** Marks of one tool. */
const MAX_MARKS = 64

interface Mark {
  readonly field: string
  /** Names of nested properties. */
  readonly path: readonly string[]
}

/** A definition that no client may use: its place in the list. */
export interface Unusable {
  readonly place: number
  /** Words of ours. */
  readonly why: string
}

export interface ParamFields {
  /** Learns the tools of a `tools/list` result, at most 1,024 in all; returns those that are unusable. */
  learn(result: unknown): readonly Unusable[]
  /** Whether the tool of this call was seen. */
  knows(message: Message): boolean
  /** Name, value, name, value; empty for what is no call, or of a tool without marks. */
  of(message: Message): string[]
}

export function createParamFields(): ParamFields {
  const known = new Map<string, readonly Mark[]>()
  const toolOf = (message: Message) => {
    const name = message.kind === 'request' && message.method === 'tools/call' ? memberOf(message.params, 'name') : undefined
    return typeof name === 'string' ? name : undefined
  }
  return {
    learn(result) {
      const tools = memberOf(result, 'tools')
      return (Array.isArray(tools) ? tools : []).flatMap((tool: unknown, place) => {
        const name = memberOf(tool, 'name')
        const marks = findMarks(memberOf(tool, 'inputSchema'))
        if (typeof marks === 'string') return [{ place, why: marks }]
        if (typeof name === 'string') remember(known, name, marks)
        return []
      })
    },
    knows: (message) => known.has(toolOf(message) ?? ''),
    of(message) {
      const input = message.kind === 'response' ? undefined : memberOf(message.params, 'arguments')
      return (known.get(toolOf(message) ?? '') ?? []).flatMap(({ field, path }) => {
        const text = toText(path.reduce(memberOf, input))
        return text === undefined ? [] : [`Mcp-Param-${field}`, encodeField(text)]
      })
    },
  }
}

/** What a schema marks, or why it may not be used. Hostile input. */
export function findMarks(schema: unknown): readonly Mark[] | string {
  const marks: Mark[] = []
  const names = new Set<string>()

  function check(node: object, path: readonly string[] | undefined): string | undefined {
    const field: unknown = memberOf(node, MARK)
    if (path === undefined || path.length === 0) return 'a mark at a place that is no property'
    if (typeof field !== 'string' || !TOKEN.test(field)) return 'a mark that is no name of a field'
    if (!TYPES.has(memberOf(node, 'type'))) return 'a mark on what is neither string, integer nor boolean'
    if (names.has(field.toLowerCase())) return 'a mark twice'
    if (marks.length >= MAX_MARKS) return `more than ${MAX_MARKS} marks`
    names.add(field.toLowerCase())
    marks.push({ field, path })
    return undefined
  }

  /** @param path undefined: not reached by `properties` alone */
  function visit(node: unknown, path: readonly string[] | undefined): string | undefined {
    if (typeof node !== 'object' || node === null) return undefined
    const wrong = isMembers(node) && Object.hasOwn(node, MARK) ? check(node, path) : undefined
    if (wrong !== undefined) return wrong
    for (const [name, value] of Object.entries(node)) {
      const fault = name === 'properties' && isMembers(value) ? visitAll(value, path) : DATA.has(name) ? undefined : visit(value, undefined)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  function visitAll(properties: object, path: readonly string[] | undefined): string | undefined {
    for (const [name, child] of Object.entries(properties)) {
      const fault = visit(child, path && [...path, name])
      if (fault !== undefined) return fault
    }
    return undefined
  }
  return visit(schema, []) ?? marks
}

/** A value as a field spells it; undefined for what has no spelling, and for null. */
function toText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
  return undefined
}
