/**
 * One configuration file: YAML text to a checked `audit:` block, every error with line and column.
 *
 * Refuses instead of repairing: duplicate and unknown keys, aliases (they hide what is set), wrong types,
 * unset variables, sections that this version does not have. Hostile input: a project file comes from
 * whoever wrote the repository.
 * @module
 */
import { normalize } from 'node:path'
import { SwornError } from '@sworn/verify'
import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, Scalar, visit } from 'yaml'
import type { z } from 'zod'
import { ABSENT, AUDIT_KEYS } from './keys.ts'
import { type AuditBlock, type AuditKey, auditSchema, fileSchema } from './schema.ts'
import { substitute } from './substitute.ts'
import { didYouMean } from './suggest.ts'

const MAX_TEXT = 1 << 20

type Env = Readonly<Record<string, string | undefined>>
type Document = ReturnType<typeof parseDocument>
type Place = (path: readonly PropertyKey[]) => string

/** What checks a section that belongs to another room: a zod schema, and the words for suggestions. */
export interface RoomSection {
  readonly schema: z.ZodType
  readonly members: readonly string[]
}

/** The sections that somebody here acts on; without its room a section is refused. */
export type Rooms = Readonly<Partial<Record<'sinks' | 'destinations' | 'alerts', RoomSection>>>

/**
 * Reads one file's text.
 * @param name the file name for messages
 * @param beside top-level keys that somebody else reads: left as they are
 * @throws SwornError CONFIG_INVALID at `name:line:column key.path`
 */
export function readConfig(text: string, name: string, env: Env, rooms: Rooms = {}, beside: readonly string[] = []): AuditBlock {
  if (text.length > MAX_TEXT) throw new SwornError('CONFIG_INVALID', `a file of at most ${MAX_TEXT} characters was expected`, name)
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true })
  const place: Place = (path) => locate(doc, lines, name, path)
  const broken = doc.errors[0]
  if (broken) {
    const { line, col } = lines.linePos(broken.pos[0])
    throw new SwornError('CONFIG_INVALID', `the YAML is malformed (${broken.code.toLowerCase()})`, `${name}:${line}:${col}`)
  }
  for (const key of beside) doc.delete(key)
  resolveScalars(doc, env, lines, name)
  return checkShape(doc.toJS() ?? {}, place, rooms)
}

function resolveScalars(doc: Document, env: Env, lines: LineCounter, name: string): void {
  visit(doc, (_key, node) => {
    if (isAlias(node)) throw new SwornError('CONFIG_INVALID', 'aliases are not used here', at(node, lines, name))
    if (!isScalar(node) || typeof node.value !== 'string' || !node.value.includes('$')) return
    const resolved = substitute(node.value, env, at(node, lines, name))
    node.value = node.type === Scalar.PLAIN ? toPlain(resolved) : resolved
  })
}

/** An unquoted reference may stand for a number or a switch; everything else is text. */
function toPlain(text: string): string | number | boolean {
  if (/^-?\d{1,15}(\.\d+)?$/.test(text)) return Number(text)
  return text === 'true' ? true : text === 'false' ? false : text
}

function at(node: Node, lines: LineCounter, name: string): string {
  const { line, col } = lines.linePos(node.range?.[0] ?? 0)
  return `${name}:${line}:${col}`
}

function checkShape(value: unknown, place: Place, rooms: Rooms): AuditBlock {
  const result = fileSchema.safeParse(value)
  if (!result.success) throw toError(result.error.issues[0]!, place, rooms)
  const block = result.data.audit ?? {}
  for (const [key, missing] of Object.entries(ABSENT)) {
    if (key in block && checkRoom(key, block, place, rooms)) continue
    if (key in block && !isHarmless(key, block)) throw new SwornError('CONFIG_INVALID', missing, place(['audit', key]))
  }
  if (block.signing === false) throw new SwornError('CONFIG_INVALID', 'checkpoints are always signed', place(['audit', 'signing']))
  return block
}

/** False where no room acts on the section. @throws SwornError CONFIG_INVALID when it does not fit its room */
function checkRoom(key: string, block: AuditBlock, place: Place, rooms: Rooms): boolean {
  const room = key === 'sinks' || key === 'destinations' || key === 'alerts' ? rooms[key] : undefined
  const result = room?.schema.safeParse(block[key as AuditKey])
  const issue = result?.error?.issues[0]
  if (issue) throw toError({ ...issue, path: ['audit', key, ...issue.path] }, place, rooms)
  return room !== undefined
}

/** The file that is the ledger, and empty lists, ask for nothing that is missing. */
function isHarmless(key: string, block: AuditBlock): boolean {
  if (key === 'destinations') return block.destinations!.every((destination) => isLedger(destination, block))
  return key === 'sinks' && block.sinks!.length === 0
}

function isLedger(destination: NonNullable<AuditBlock['destinations']>[number], { log_path = './audit' }: AuditBlock): boolean {
  if (typeof destination === 'string') return destination === 'file'
  return destination.type === 'file' && normalize(destination.path ?? log_path) === normalize(log_path)
}

function toError(issue: z.core.$ZodIssue, place: Place, rooms: Rooms): SwornError {
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    const known = issue.path.length === 0 ? ['audit'] : issue.path.length === 1 ? AUDIT_KEYS : nestedKeys(issue.path[1]!, rooms)
    return new SwornError('CONFIG_INVALID', `unknown option ${JSON.stringify(key)}${didYouMean(key, known)}`, place([...issue.path, key]))
  }
  return new SwornError('CONFIG_INVALID', toMessage(issue), place(issue.path))
}

function nestedKeys(section: PropertyKey, rooms: Rooms): readonly string[] {
  if (section === 'sinks' || section === 'destinations' || section === 'alerts') return rooms[section]?.members ?? []
  if (section === 'queue') return Object.keys(auditSchema.shape.queue.unwrap().shape)
  if (section === 'retention') return [...Object.keys(auditSchema.shape.retention.unwrap().shape), 'events', 'risk', 'framework', 'days']
  return ['name', 'version', 'framework', 'model', 'path', 'action']
}

/** What was expected; zod's own texts could quote the value. */
function toMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `${issue.expected} was expected`
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options))
    return `one of ${issue.options.join(', ')} was expected`
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')} was expected`
  if (issue.code === 'too_small') return `at least ${issue.minimum} was expected`
  if (issue.code === 'too_big') return `at most ${issue.maximum} was expected`
  if (issue.code === 'custom') return issue.message // the schema's own
  if (issue.code === 'invalid_format') return 'a path without NUL was expected' // the only format of the schema
  return 'another shape was expected; see the JSON Schema'
}

/** `name:line:column audit.key`, of the nearest node that exists. */
function locate(doc: Document, lines: LineCounter, name: string, path: readonly PropertyKey[]): string {
  const where = path.map(String).join('.')
  for (let depth = path.length; depth > 0; depth--) {
    const parent = doc.getIn(path.slice(0, depth - 1), true) ?? doc.contents
    const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === path[depth - 1]) : undefined
    const node = pair && isScalar(pair.key) ? pair.key : doc.getIn(path.slice(0, depth), true)
    const range = (node as Node | undefined)?.range // getIn(…, true) gives nodes
    if (!range) continue
    const { line, col } = lines.linePos(range[0])
    return `${name}:${line}:${col} ${where}`
  }
  return where ? `${name} ${where}` : name
}
