/**
 * A shell script with `{{name}}` in it → the same script with references to variables there. No value is ever text of a
 * script.
 *
 *   psql -c "{{query}}"  →  psql -c "${SWORN_ARG_query}"        in double quotes
 *   grep {{word}} log    →  grep "${SWORN_ARG_word}" log        bare: quoted, so neither split nor expanded
 *   echo 'a {{b}}'       →  echo 'a '"${SWORN_ARG_b}"''         in single quotes
 *
 * A shell does not read the value of a variable as script, so even a place that is judged wrong could split a value, not
 * run it. Places where a shell does evaluate what a variable holds (arithmetic, `[[`, `eval`, `sh -c`, a program's name)
 * are refused when the file is read. What a program does with its arguments is the program's.
 * Source: POSIX.1-2024, Shell Command Language §2.2, §2.6.
 * @module
 */
import { forEachChild, type ParsedScript, parseShell, type SyntaxNode } from '@sworn/govern/shell'
import { isEvaluated } from './evaluators.ts'
import { type Flow, flowsOf, type Spot } from './flows.ts'
import type { Head } from './types.ts'

export const PLACEHOLDER = /\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g
/** Before the name of a parameter: the variable that holds its value. */
export const VARIABLE = 'SWORN_ARG_'

const MARK = 'SWORNMARK'
const MAX_SPOTS = 200

export interface CompiledShell {
  readonly text: string
  /** Words that begin with values, and that no `--` protects. */
  readonly heads: readonly Head[]
  /** Names of the variables that the script itself names. */
  readonly variables: readonly string[]
}

/** Why a script cannot be served; the words name a parameter and never a value. */
export type Refused = { readonly refused: string }

/** Never throws. @param numbers parameters whose values are numbers or booleans: a shell finds nothing in them */
export function compileShell(text: string, numbers: ReadonlySet<string> = new Set()): CompiledShell | Refused {
  if (text.includes('\0')) return { refused: 'a script without NUL was expected' }
  if (text.includes(MARK)) return { refused: `a script without the word ${MARK} was expected` }
  const { marked, spots } = mark(text)
  if (spots.length > MAX_SPOTS) return { refused: `at most ${MAX_SPOTS} placeholders were expected` }
  const script = parseShell(marked)
  if (!script || (script.errors?.length ?? 0) > 0) return { refused: 'a complete shell script was expected' }
  const tree = script as SyntaxNode // a script is a node of the tree
  const flows = flowsOf(tree, spots)
  for (const flow of flows) {
    const refused = faultOf(flow, marked, numbers)
    if (refused !== undefined) return { refused: `{{${flow.parameter}}} ${refused}` }
  }
  const heads = new Map<number, Head>()
  let out = ''
  let from = 0
  for (const spot of spots) {
    const chain = chainTo(tree, spot)
    const form = formOf(chain, marked, spot)
    if ('refused' in form) return { refused: `{{${spot.parameter}}} ${form.refused}` }
    const word = wordBegun(chain, marked, spot.pos)
    if (word) heads.set(word.pos, headOf(heads.get(word.pos), spot.parameter, marked.slice(spot.end, word.end)))
    out += marked.slice(from, spot.pos) + form.write(spot.parameter)
    from = spot.end
  }
  const through = flows.flatMap(({ parameter, chain, begins }): readonly Head[] =>
    begins && wordBegun(chain, marked, chain.at(-1)!.pos) ? [{ parameters: [parameter], dash: false }] : [],
  )
  return { text: out + marked.slice(from), heads: [...heads.values(), ...through], variables: variablesOf(script) }
}

/** @param behind what follows in the word */
function headOf(before: Head | undefined, parameter: string, behind: string): Head {
  return { parameters: [...(before?.parameters ?? []), parameter], dash: behind.replace(EMPTY, '').startsWith('-') }
}

/** Every placeholder as a plain word of the shell. */
function mark(text: string): { readonly marked: string; readonly spots: readonly Spot[] } {
  const spots: Spot[] = []
  let marked = ''
  let from = 0
  for (const found of text.matchAll(PLACEHOLDER)) {
    marked += text.slice(from, found.index)
    const word = `${MARK}${spots.length}X`
    spots.push({ parameter: found[1]!, pos: marked.length, end: marked.length + word.length })
    marked += word
    from = found.index + found[0].length
  }
  return { marked: marked + text.slice(from), spots }
}

/** The nodes around a mark, outermost first. A here-document lies outside of the text of its command, so the whole tree is looked through. */
function chainTo(node: SyntaxNode, spot: Spot): readonly SyntaxNode[] {
  let inner: readonly SyntaxNode[] = []
  forEachChild(node, (child) => {
    const found = chainTo(child, spot)
    if (found.length > inner.length) inner = found
  })
  if (inner.length > 0) return [node, ...inner]
  return node.pos <= spot.pos && spot.end <= node.end ? [node] : []
}

type Form = { readonly write: (parameter: string) => string }

const reference = (name: string) => `\${${VARIABLE}${name}}`
const BARE: Form = { write: (name) => `"${reference(name)}"` }
const IN_DOUBLE: Form = { write: reference }
const IN_SINGLE: Form = { write: (name) => `'"${reference(name)}"'` }
const IN_COMMENT: Form = { write: (name) => name }

/** Nodes that a placeholder may be within. */
const PLAIN: ReadonlySet<string> = new Set(
  'Script Statement AndOr Pipeline CompoundList If Elif While For Case CaseItem Subshell BraceGroup Function Redirected Command Assignment Redirect HereString HereDoc HereDocBody CommandExpansion Word DoubleQuoted SingleQuoted Literal'.split(
    ' ',
  ),
)

/** Innermost nodes of text that is no comment. */
const HOLDS_TEXT: ReadonlySet<string> = new Set(['Word', 'Literal', 'SingleQuoted', 'HereDocBody'])

const isComment = (marked: string, pos: number) => /(^|[\s;&|()])#[^\n]*$/.test(marked.slice(marked.lastIndexOf('\n', pos) + 1, pos))

/** How a reference is written where the mark stands, by the innermost quoting. */
function formOf(chain: readonly SyntaxNode[], marked: string, { pos }: Spot): Form | Refused {
  const [last, outer, third] = [chain.at(-1), chain.at(-2), chain.at(-3)]
  if (!last) return { refused: 'stands where no value can be put' }
  if (!HOLDS_TEXT.has(last.type) && isComment(marked, pos)) return IN_COMMENT
  const strange = chain.find(({ type }) => !PLAIN.has(type))
  if (strange) return { refused: `stands where a shell evaluates values (${strange.type})` }
  if (marked[pos - 1] === '\\' || marked[pos - 1] === '$') return { refused: 'has a \\ or $ before it' }
  if (chain.some((node) => node.type === 'CommandExpansion' && !node.text.startsWith('$(')))
    return { refused: 'stands in backquotes: use $(…)' }
  const split = chain.findIndex(
    ({ type }, i) => type === 'CommandExpansion' && chain[i - 1]?.type === 'Word' && chain[i - 2]?.type === 'Command',
  )
  if (split >= 0) return { refused: 'would be split into words: put $(…) in double quotes' }
  if (isEvaluated(chain, marked, pos)) return { refused: 'would be run as a program: give it to a script as an argument' }
  if (last.type === 'SingleQuoted') return IN_SINGLE
  if (last.type === 'Word') return BARE
  if (last.type === 'Literal' && outer?.type === 'Word') return BARE
  if (last.type === 'Literal' && outer?.type === 'DoubleQuoted') return IN_DOUBLE
  const doc = [outer, third].find((node) => node?.type === 'HereDoc')
  if (doc?.type === 'HereDoc' && !doc.delimiter?.quoted) return IN_DOUBLE
  return { refused: 'stands where no value can be put' }
}

/** What may be nothing at the beginning of a word: quotes, values, what a variable or a program says. */
const EMPTY = /^(?:["']|SWORNMARK\d+X|\$\w+|\$[@*#?]|\$\{[^{}]*\}|\$\([^()]*\))*/

/** The word whose first character what stands at `pos` could be: a program could take it for an option, as nothing said that those are over. */
function wordBegun(chain: readonly SyntaxNode[], marked: string, pos: number): SyntaxNode | undefined {
  const at = chain.findLastIndex(({ type }) => type === 'Command')
  const [command, word] = [chain[at], chain[at + 1]]
  if (command?.type !== 'Command' || word?.type !== 'Word' || marked.slice(word.pos, pos).replace(EMPTY, '') !== '') return undefined
  return command.args.some((arg) => arg.end <= word.pos && arg.type === 'Word' && arg.value === '--') ? undefined : word
}

const ARITHMETIC = /^Arithmetic|^Test/

/** Why a value may not be taken out of a variable there. */
function faultOf({ parameter, chain, variable }: Flow, marked: string, numbers: ReadonlySet<string>): string | undefined {
  if (isEvaluated(chain, marked, chain.at(-1)!.pos))
    return `would be run as a program, through $${variable}: give it to a script as an argument`
  if (numbers.has(parameter)) return undefined
  const strange = chain.find(({ type }) => ARITHMETIC.test(type))
  if (strange) return `stands where a shell evaluates values (${strange.type}), through $${variable}`
  const isSplit = chain.at(-2)?.type === 'Word' && chain.at(-3)?.type === 'Command'
  return isSplit ? `would be split into words, through $${variable}: put it in double quotes` : undefined
}

/** Names after `$`; what they hold the tool may see. */
function variablesOf(script: ParsedScript): readonly string[] {
  const names = new Set<string>()
  const visit = (node: SyntaxNode): void => {
    const named = node.type === 'SimpleExpansion' ? node.text.slice(1) : node.type === 'ParameterExpansion' ? node.parameter : ''
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(named)) names.add(named)
    forEachChild(node, visit)
  }
  visit(script as SyntaxNode)
  return [...names]
}
