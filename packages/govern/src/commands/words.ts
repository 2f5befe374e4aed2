/**
 * Words of the syntax tree → arguments: quotes removed, what is only known at run time marked.
 *
 * Hostile input. A value that is not exact is a guess: it may make a verdict worse, never better.
 * Shells differ: bash, dash and zsh read `$'\''` and `*(…)` each their own way, so those are reported.
 * @module
 */
import type { ParsedScript, SyntaxNode, Word, WordPart } from './parse.ts'
import type { Arg, Part, Scene, Span } from './types.ts'

/** What a word may ask of the walk it is read on. */
export interface WordHost {
  /** Judges a substitution; gives the names of the programs in it. */
  script(script: ParsedScript | undefined, scene: Scene, part: Part): readonly string[]
  /** Judges every substitution below an expression; gives the names of the programs in them. */
  substitutions(node: SyntaxNode, scene: Scene): readonly string[]
  /** Shells read this part differently. */
  ambiguous(part: Part): void
  /** This part is evaluated and may run commands. */
  evaluated(part: Part): void
  /** The value of a variable that the same text sets. */
  known(name: string): string | undefined
}

interface Draft {
  value: string
  exact: boolean
  splits: boolean
  mayBeOption: boolean
  runs: string[]
}

/** The arguments a word becomes: one, or several when a known value or braces split it. */
export function readWord(word: Word, scene: Scene, host: WordHost): Arg[] {
  const place = placeOf(word, scene)
  const draft: Draft = { value: '', exact: true, splits: false, mayBeOption: false, runs: [] }
  if (!word.parts) draft.value = word.value
  for (const part of word.parts ?? []) readPart(part, draft, false, scene, host)
  const { parts } = word
  const alternatives = parts && findAlternatives(parts)
  if (!alternatives && !draft.splits) return [finish(draft, draft.value, word.text, place)]
  const values = alternatives ?? draft.value.split(/[ \t\n]+/).filter((value) => value !== '')
  return (values.length > 0 ? values : ['']).map((value) => finish(draft, value, word.text, place))
}

/** The text of a here-document, or of any other list of parts. */
export function readParts(parts: readonly WordPart[] | undefined, text: string, span: Span, scene: Scene, host: WordHost): Arg {
  const draft: Draft = { value: '', exact: true, splits: false, mayBeOption: false, runs: [] }
  if (!parts) draft.value = text
  for (const part of parts ?? []) readPart(part, draft, true, scene, host)
  return finish(draft, draft.value, text, span)
}

export function placeOf(node: { readonly pos: number; readonly end: number }, scene: Scene): Span {
  return scene.at ?? { start: node.pos, end: node.end }
}

function finish({ exact, splits, mayBeOption, runs }: Draft, value: string, text: string, { start, end }: Span): Arg {
  return { value, exact, splits, mayBeOption: mayBeOption || (!exact && value.startsWith('-')), runs, text, start, end }
}

function readPart(part: WordPart, draft: Draft, quoted: boolean, scene: Scene, host: WordHost): void {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
      draft.value += part.value
      return
    case 'AnsiCQuoted':
      if (part.text.includes("\\'")) host.ambiguous({ ...placeOf(part, scene), text: part.text })
      draft.value += part.value
      return
    case 'DoubleQuoted':
    case 'LocaleString':
      for (const child of part.parts) readPart(child, draft, true, scene, host)
      return
    default:
      readExpansion(part, draft, quoted, scene, host)
  }
}

type Expansion = Exclude<WordPart, { type: 'Literal' | 'SingleQuoted' | 'AnsiCQuoted' | 'DoubleQuoted' | 'LocaleString' }>

function readExpansion(part: Expansion, draft: Draft, quoted: boolean, scene: Scene, host: WordHost): void {
  const place = { ...placeOf(part, scene), text: part.text }
  const fromNames = part.type === 'Glob' || part.type === 'ExtendedGlob' || part.type === 'BraceExpansion'
  const isFile = part.type === 'ProcessSubstitution' // becomes /dev/fd/63
  if (!isFile && (draft.value === '' || (!quoted && !fromNames))) draft.mayBeOption = true // `a$x` may split, `a*` keeps its beginning
  draft.exact = false
  draft.splits ||= !quoted
  switch (part.type) {
    case 'SimpleExpansion':
      draft.value += host.known(part.text.slice(1)) ?? part.text
      return
    case 'CommandExpansion':
    case 'ProcessSubstitution':
      if (part.type === 'ProcessSubstitution') draft.splits = false
      draft.runs.push(...host.script(part.script, scene, place))
      break
    case 'ArithmeticExpansion':
      if (!isPlainArithmetic(part.text)) host.evaluated(place)
      draft.runs.push(...host.substitutions(part, scene))
      break
    case 'ParameterExpansion':
      if (isEvaluated(part)) host.evaluated(place)
      if (!part.operation && !part.prefix && !part.index) {
        draft.value += host.known(part.parameter) ?? part.text
        return
      }
      readOperands(part, draft, scene, host)
      if (part.operation?.type !== 'Default') break
      draft.value += host.known(part.parameter) ?? part.operation.operand.value
      return
    case 'ExtendedGlob':
      host.ambiguous(place)
      readNested(part.parts, draft, scene, host)
      break
    case 'Glob':
    case 'BraceExpansion':
      readNested(part.parts, draft, scene, host)
  }
  draft.value += part.text.replace(/\s/g, '\u00a0') // one word, whatever it becomes
}

/** Substitutions inside a part count wherever they stand; its words are no arguments. */
function readNested(parts: readonly WordPart[] | undefined, draft: Draft, scene: Scene, host: WordHost): void {
  const inner: Draft = { value: '', exact: true, splits: false, mayBeOption: false, runs: [] }
  for (const part of parts ?? []) readPart(part, inner, true, scene, host)
  draft.runs.push(...inner.runs)
}

function readOperands(part: Extract<WordPart, { type: 'ParameterExpansion' }>, draft: Draft, scene: Scene, host: WordHost): void {
  const { index, operation } = part
  const words: (Word | undefined)[] = [index]
  if (operation && 'operand' in operation) words.push(operation.operand)
  if (operation?.type === 'Replace') words.push(operation.pattern, operation.replacement)
  if (operation?.type === 'Slice') words.push(operation.offset, operation.length)
  for (const word of words) if (word) readNested(word.parts, draft, scene, host)
}

/** Digits, operators and blanks only: a name would be looked up, and its value evaluated in turn. */
export function isPlainArithmetic(text: string): boolean {
  return /^[\d\s()$+*/%<>=!&|^~?:,-]*$/.test(text) && !/\$[^(]/.test(text)
}

function isEvaluated({ prefix, index, operation }: Extract<WordPart, { type: 'ParameterExpansion' }>): boolean {
  if (prefix === '!') return true
  if (index && !/^(\d+|[@*])$/.test(index.text)) return true
  if (!operation) return false
  if (operation.type === 'Transform' || operation.type === 'Unknown' || operation.type === 'Names') return true
  if (operation.type === 'Default') return operation.operator.includes('=')
  if (operation.type === 'Slice') return [operation.offset, operation.length].some((word) => word && !/^\s*-?\d+$/.test(word.text))
  return false
}

/** `{a,b}` with literals around it → the words it becomes; undefined for anything less plain. */
function findAlternatives(parts: readonly WordPart[]): string[] | undefined {
  const braces = parts.filter((part) => part.type === 'BraceExpansion')
  const [brace] = braces
  if (!brace || braces.length > 1 || !/^\{[^{}$`'"\\]*,[^{}$`'"\\]*\}$/.test(brace.text)) return undefined
  const rest = parts.map((part) => (part === brace ? undefined : 'value' in part ? part.value : ''))
  const at = parts.indexOf(brace)
  const [before, after] = [rest.slice(0, at).join(''), rest.slice(at + 1).join('')]
  return brace.text
    .slice(1, -1)
    .split(',')
    .slice(0, 64)
    .map((choice) => before + choice + after)
}
