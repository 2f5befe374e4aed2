/**
 * What a filter's expression uses, checked before its first event: members, words, patterns, ranges.
 *
 * Works on the tree that the parser makes, because CEL's type check knows neither the words of a member nor what a
 * range costs. Source: docs/reference/filters.md.
 * @module
 */
import type { ASTNode, Context, Environment } from '@marcbachmann/cel-js'
import { SwornError } from '@sworn/verify'
import { RE2JS } from 're2js'
import { MEMBER_WORDS } from './members.ts'

const RANGES = ['all', 'exists', 'exists_one', 'filter']
const COMPARED = ['==', '!=', 'in']
/** Costs no more than the argument, so the text may be another than the element's. */
const CHEAP = ['startsWith', 'endsWith', 'has']
const TYPES = ['bool', 'bytes', 'double', 'duration', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint']

export interface Use {
  run(context: Context): unknown
  /** The variables that the expression names. */
  readonly members: readonly string[]
}

interface Walk {
  readonly text: string
  readonly variables: readonly string[]
  readonly members: Set<string>
  readonly patterns: Map<string, RE2JS>
}

/** @throws SwornError FILTER_INVALID as `compileFilter` says */
export function readUse(text: string, base: Environment, variables: readonly string[]): Use {
  const walk: Walk = { text, variables, members: new Set(), patterns: new Map() }
  const env = base.clone().registerFunction('string.matchesPattern(string): bool', (value: string, pattern: string) => {
    return walk.patterns.get(pattern)?.matcher(value).find() === true
  })
  const parsed = parse(text, env)
  visit(parsed.ast, walk, [])
  const checked = parsed.check()
  if (!checked.valid) throw refuse(text, checked.error?.range?.start ?? 0, checked.error?.summary ?? 'a valid expression was expected')
  if (checked.type !== 'bool' && checked.type !== 'dyn') throw refuse(text, 0, `true or false was expected, not ${checked.type}`)
  return { run: parsed, members: [...walk.members] }
}

type Parsed = ReturnType<Environment['parse']>

function parse(text: string, env: Environment): Parsed {
  try {
    return env.parse(text)
  } catch (e) {
    const { summary, range } = e as { summary?: string; range?: { start: number } } // the library's own error
    throw refuse(text, range?.start ?? 0, summary ?? 'an expression was expected')
  }
}

/** @param scope the variables of the ranges around, innermost last */
function visit(node: ASTNode, walk: Walk, scope: readonly string[]): void {
  if (node.op === 'id') checkName(node, walk, scope)
  if (COMPARED.includes(node.op)) checkWords(node, walk)
  if (node.op === 'in') checkRange(node.args[1], walk, scope)
  if (node.op === 'call' && !CHEAP.includes(node.args[0])) for (const arg of node.args[1]) checkRange(arg, walk, scope)
  if (node.op === 'rcall') visitCall(node, walk, scope)
  else for (const child of children(node)) visit(child, walk, scope)
}

function visitCall(node: ASTNode & { readonly op: 'rcall' }, walk: Walk, scope: readonly string[]): void {
  const [name, receiver, args] = node.args
  const variable = args[0]
  if (name === 'matches') usePattern(node, walk)
  if (name === 'map' || name === 'bind') throw refuse(walk.text, node.start, `${name} is not part of filters, use exists or filter`)
  const isRange = RANGES.includes(name) && variable?.op === 'id'
  if (!CHEAP.includes(name)) for (const walked of isRange ? [receiver] : [receiver, ...args]) checkRange(walked, walk, scope)
  if (!isRange) {
    for (const child of [receiver, ...args]) if (!isNamespace(child)) visit(child, walk, scope)
    return
  }
  visit(receiver, walk, scope)
  for (const child of args.slice(1)) visit(child, walk, [...scope, String(variable?.args)])
}

/** `optional.of(x)`: a namespace of the library, not a member. */
function isNamespace(node: ASTNode): boolean {
  return node.op === 'id' && node.args === 'optional'
}

function children(node: ASTNode): readonly ASTNode[] {
  const found: ASTNode[] = []
  const open: unknown[] = [node.args]
  while (open.length > 0) {
    const next = open.pop()
    if (Array.isArray(next)) open.push(...next)
    else if (typeof next === 'object' && next !== null && 'op' in next) found.push(next as ASTNode) // only nodes have an op
  }
  return found
}

function checkName(node: ASTNode & { readonly op: 'id' }, walk: Walk, scope: readonly string[]): void {
  const name = node.args
  if (scope.includes(name) || name === 'event' || TYPES.includes(name)) return
  if (!walk.variables.includes(name)) {
    const near = walk.variables.find((known) => isNear(known, name))
    const hint = near ? `, did you mean "${near}"` : ', a member of your own is written event.NAME'
    throw refuse(walk.text, node.start, `unknown member "${name}"${hint}`)
  }
  walk.members.add(name)
}

/** True when at most two characters differ, are missing or are too many. */
function isNear(a: string, b: string): boolean {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const last = row
    row = [i]
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
  }
  return row[b.length]! <= 2
}

function checkWords(node: ASTNode, walk: Walk): void {
  const sides = node.args as readonly [ASTNode, ASTNode] // of every comparison
  const member = sides.find((side) => side.op === 'id')
  const words = member && MEMBER_WORDS.get(String(member.args))
  if (!words) return
  const literals = sides.flatMap((side) => (side.op === 'list' ? side.args : [side]))
  for (const literal of literals) {
    if (literal.op !== 'value' || literal.args === null) continue
    if (!words.includes(String(literal.args)))
      throw refuse(walk.text, literal.start, `${String(member.args)} is one of ${words.join(', ')}`)
  }
}

/** Within a range, what is walked belongs to the element at hand, or is written out: all elements together are one event. */
function checkRange(walked: ASTNode, walk: Walk, scope: readonly string[]): void {
  const innermost = scope.at(-1)
  if (innermost === undefined || ['list', 'map', 'value', 'call', 'rcall'].includes(walked.op)) return // calls are checked themselves
  if (rootOf(walked) === innermost) return
  const message = `inside a range only its element "${innermost}" is searched, so that time stays linear in the event`
  throw refuse(walk.text, walked.start, message)
}

function rootOf(node: ASTNode): string | undefined {
  let at = node
  while (at.op === '.' || at.op === '.?' || at.op === '[]' || at.op === '[?]') at = at.args[0]
  return at.op === 'id' ? at.args : undefined
}

/** Puts RE2 in the place of the library's own `matches`, which would run a pattern without a bound. */
function usePattern(node: ASTNode & { readonly op: 'rcall' }, walk: Walk): void {
  const pattern = node.args[2][0]
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string')
    throw refuse(walk.text, node.start, 'matches takes a pattern written out as text')
  try {
    walk.patterns.set(pattern.args, RE2JS.compile(pattern.args))
  } catch {
    throw refuse(walk.text, pattern.start, 'a pattern in RE2 syntax was expected')
  }
  const args = node.args as [string, ASTNode, ASTNode[]] // readonly in the types only: nothing has looked at the name yet
  args[0] = 'matchesPattern'
}

function refuse(text: string, at: number, message: string): SwornError {
  const before = text.slice(0, at).split('\n')
  return new SwornError('FILTER_INVALID', message, `${before.length}:${before.at(-1)!.length + 1}`)
}
