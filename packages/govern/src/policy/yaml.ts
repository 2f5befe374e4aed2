/**
 * YAML text to plain JSON values, every place with line and column: policies, and other files that govern.
 *
 * Refuses instead of repairing: duplicate keys, aliases (they hide what is set), unknown tags, values that
 * JSON does not have, several documents. Policy text is hostile input.
 * @module
 */
import { type ErrorCode, SwornError } from '@sworn/recorder'
import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml'

const MAX_CHARS = 1 << 20

type Path = readonly PropertyKey[]

/** A parsed text: its value and where each path of it stands, as `name:line:column path`. */
export interface Source {
  readonly value: unknown
  place(path: Path): string
}

type Document = ReturnType<typeof parseDocument>

/** @throws SwornError `code` at `name:line:column` */
export function parseYaml(text: string, name: string, code: ErrorCode = 'POLICY_INVALID'): Source {
  if (text.length > MAX_CHARS) throw new SwornError(code, `a file of at most ${MAX_CHARS} characters was expected`, name)
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true })
  const at = (offset: number) => `${name}:${lines.linePos(offset).line}:${lines.linePos(offset).col}`
  const broken = doc.errors[0] ?? doc.warnings[0]
  if (broken) throw new SwornError(code, `the YAML is malformed (${wordsOf(broken.code)})`, at(broken.pos[0]))
  checkNodes(doc, (message, node) => new SwornError(code, message, at(node.range?.[0] ?? 0)))
  return { value: doc.toJS(), place: (path) => locate(doc, at, name, path) }
}

function wordsOf(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ')
}

function checkNodes(doc: Document, refuse: (message: string, node: Node) => SwornError): void {
  visit(doc, {
    Node(_key, node) {
      if (isAlias(node)) throw refuse('aliases are not used here', node)
      if (isScalar(node) && !isJsonScalar(node.value)) throw refuse('a value that JSON has was expected', node)
    },
    Pair(_key, { key }) {
      if (!isScalar(key) || typeof key.value !== 'string') throw refuse('a key that is text was expected', key as Node) // parsed, so a node
      if (key.value === '__proto__') throw refuse('this key is not used here', key)
    },
  })
}

function isJsonScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value === 'string') return value.isWellFormed()
  return value === null || typeof value === 'boolean'
}

/** The place of the nearest member that exists; of a map's member the key, not the value. */
function locate(doc: Document, at: (offset: number) => string, name: string, path: Path): string {
  const where = path.map(String).join('.')
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? doc.contents : doc.getIn(path.slice(0, depth - 1), true)
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === path[depth - 1]) : undefined
    const node = pair ? pair.key : doc.getIn(path.slice(0, depth), true)
    const range = (node as Node | undefined)?.range // getIn(…, true) gives nodes
    if (range) return `${at(range[0])} ${where}`
  }
  return where ? `${name}:1:1 ${where}` : `${name}:1:1`
}
