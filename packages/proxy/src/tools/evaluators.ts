/**
 * Programs that run what they are told: where a placeholder would become a program and not a value.
 *
 * The table of the usual ones is looked up when a file is read. It helps whoever writes the file; what protects is that
 * values are never part of a script.
 * @module
 */
import { choosesPrograms, forEachChild, type SyntaxNode } from '@sworn/govern/shell'
import {
  ANY_CODE,
  EVALUATING,
  FIND_RUNS,
  INTERPRETERS,
  type Interpreter,
  LANGUAGES,
  MAKE_TAKES,
  MAKES,
  READING,
  SHELL_CODE,
  SHELL_TAKES,
  SHELLS,
  WRAPPERS,
  WRAPPING,
} from './programs.ts'

/**
 * @param before the words before the one with a placeholder
 * @param own what stands before the placeholder in its word
 * @returns true when it would be a program, or the text of one
 */
export function runsText(before: readonly string[], own = ''): boolean {
  const at = programAt(before)
  const program = before[at]
  if (program === undefined) return true
  const [base, args] = [baseOf(program), before.slice(at + 1)]
  if (EVALUATING.has(base)) return true
  if (base === 'find') return isRunByFind(args, own)
  if (MAKES.has(base)) return !MAKE_TAKES.has(args.at(-1) ?? '') && !own.startsWith('--directory=')
  if (base === 'deno') return args.at(-1) === 'eval'
  if (base.includes('$')) return ANY_CODE.test(lastOf(args))
  if (SHELLS.has(base)) return SHELL_CODE.test(lastOf(args)) || !args.some((word) => /^[^-+]/.test(word))
  if (LANGUAGES.has(base) && !own.startsWith('-') && !hasCode(base, args)) return true
  const inner = args.some((word, i) => isInner(baseOf(word), args.slice(i + 1), own))
  return inner || (Object.hasOwn(INTERPRETERS, base) && isCode(INTERPRETERS[base]!, args, own))
}

/** Where the program stands that runs; behind the last word while only wrappers are named. */
function programAt(before: readonly string[]): number {
  let at = 0
  for (let base = baseOf(before[at] ?? ''); Object.hasOwn(WRAPPERS, base); base = baseOf(before[at] ?? '')) {
    const [takes, operands = 0] = WRAPPERS[base]!
    at = skipOptions(before, at + 1, new Set(takes.split(' ')))
    if (operands > 0) at = skipOptions(before, at + operands, new Set(takes.split(' ')))
  }
  return at
}

function skipOptions(before: readonly string[], from: number, takes: ReadonlySet<string>): number {
  let at = from
  while (WRAPPING.test(before[at] ?? '')) at += takes.has(before[at]!) ? 2 : 1
  return at
}

function isRunByFind(args: readonly string[], own: string): boolean {
  const at = args.findLastIndex((word) => FIND_RUNS.has(word))
  return at >= 0 && runsText(args.slice(at + 1), own)
}

function isInner(base: string, args: readonly string[], own: string): boolean {
  if (SHELLS.has(base)) return SHELL_CODE.test(lastOf(args))
  return LANGUAGES.has(base) && isCode(INTERPRETERS[base]!, args, own)
}

/** Behind an option of code, within one, or the operand that is the program. */
function isCode(interpreter: Interpreter, args: readonly string[], own: string): boolean {
  const last = lastOf(args)
  if (own.startsWith('-')) return kindOfOption(own, interpreter) !== 'other'
  if (kindOfOption(last, interpreter) === 'open') return true
  return interpreter.isFirst === true && !hasProgram(args, interpreter)
}

/** `open`: code is the next word. `held`: it holds code itself. */
function kindOfOption(word: string, { short, long, takes = '' }: Interpreter): 'open' | 'held' | 'other' {
  if (word.startsWith('--')) {
    const [name = '', value] = word.slice(2).split(/=(.*)/s)
    if (!long?.has(name)) return 'other'
    return value === undefined ? 'open' : 'held'
  }
  const letters = word.startsWith('-') ? word.slice(1) : ''
  for (const [i, letter] of [...letters].entries()) {
    if (takes.includes(letter)) return 'other'
    if (short.includes(letter)) return i === letters.length - 1 ? 'open' : 'held'
  }
  return 'other'
}

/** An option of code, or an operand, is among `args`; the last one may take what follows. */
function hasProgram(args: readonly string[], interpreter: Interpreter): boolean {
  const { takes = '' } = interpreter
  const isTaking = (word: string | undefined) => word !== undefined && /^-[a-zA-Z]$/.test(word) && takes.includes(word[1]!)
  if (isTaking(args.at(-1))) return true // the placeholder is what that option takes
  return args.some((word, i) => (word.startsWith('-') ? kindOfOption(word, interpreter) !== 'other' : !isTaking(args[i - 1])))
}

const lastOf = (args: readonly string[]) => args.filter((word) => word !== '--').at(-1) ?? ''
const baseOf = (word: string) => word.slice(word.lastIndexOf('/') + 1).replace(/[\d.]+$/, '') || word

/**
 * @param chain the nodes around a placeholder, outermost first
 * @param text of the whole script
 * @param pos of the placeholder in it
 * @returns true when one of them runs what it is told
 */
export function isEvaluated(chain: readonly SyntaxNode[], text: string, pos: number): boolean {
  return chain.some((node, i) => {
    const child = chain[i + 1]
    if (!child) return false
    if (node.type === 'Assignment') return choosesPrograms(node.name) || !text.slice(node.pos, pos).includes('=') // within its name
    if (node.type === 'Function') return child.pos === node.name.pos
    if (node.type === 'Pipeline') return node.commands.some((command) => command.pos >= child.end && readsProgram(command))
    if (IS_INPUT.has(child.type)) return !isOutput(child) && readsProgram(node)
    if (node.type !== 'Command') return false
    if (child.type === 'Assignment') return baseOf(node.name?.text ?? '') === 'alias'
    return child.type === 'Word' && runsText(wordsOf(node, child.pos), unquoted(text.slice(child.pos, pos)))
  })
}

const IS_INPUT: ReadonlySet<string> = new Set(['HereDoc', 'HereString', 'Redirect'])
const isOutput = (node: SyntaxNode) => node.type === 'Redirect' && node.operator !== '<' && node.operator !== '<>'

const unquoted = (text: string) => text.replace(/["'\\]/g, '')

type CommandNode = Extract<SyntaxNode, { type: 'Command' }>

/** The words of a command that end at `end` or before. */
function wordsOf({ name, args }: CommandNode, end: number): readonly string[] {
  return [name, ...args].flatMap((word) => (word && word.end <= end ? [word.type === 'Word' ? word.value : word.text] : []))
}

/** True when something in it runs what comes in. */
function readsProgram(node: SyntaxNode): boolean {
  if (node.type === 'Command') {
    const all = wordsOf(node, node.end)
    if (takesProgram(all) || (baseOf(all[0] ?? '') === 'xargs' && all.length > 1 && isFilled(all))) return true
  }
  let found = false
  forEachChild(node, (child) => {
    found ||= readsProgram(child)
  })
  return found
}

/** A shell or a language that is given no program otherwise. */
function takesProgram(all: readonly string[]): boolean {
  const at = programAt(all)
  const [base, args] = [baseOf(all[at] ?? ''), all.slice(at + 1)]
  if (READING.has(base)) return true
  if (base === 'crontab') return !args.some((word) => word !== '-')
  if (SHELLS.has(base)) {
    if (args.some((word) => SHELL_CODE.test(word))) return false
    return (
      args.some((word) => /^-[a-z]*s/.test(word)) || !args.some((word, i) => /^[^-+]/.test(word) && !SHELL_TAKES.has(args[i - 1] ?? ''))
    )
  }
  return LANGUAGES.has(base) && !hasCode(base, args)
}

/** Code, a module or the file of a program is among `args` of one of `LANGUAGES`. */
function hasCode(base: string, args: readonly string[]): boolean {
  const interpreter = INTERPRETERS[base]!
  return args.some((word, i) => {
    if (word.startsWith('-')) return kindOfOption(word, interpreter) !== 'other'
    const before = args[i - 1] ?? ''
    return before === '-m' || !(/^-[a-zA-Z]$/.test(before) && interpreter.takes?.includes(before[1]!))
  })
}

/** What xargs puts behind the words of its command, or into them, is run. */
function isFilled(all: readonly string[]): boolean {
  const mark = all.findIndex((word) => /^-I|^--replace/.test(word))
  const text = mark < 0 ? undefined : all[mark] === '-I' ? all[mark + 1] : all[mark]!.replace(/^-I|^--replace=?/, '') || '{}'
  if (text === undefined) return programAt(all) < all.length && runsText(all)
  return all.some((word, i) => i > mark + 1 && word.includes(text) && runsText(all.slice(0, i), word.slice(0, word.indexOf(text))))
}
