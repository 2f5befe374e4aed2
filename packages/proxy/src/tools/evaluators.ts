/**
 * Programs that run what they are told: where a placeholder would become a program and not a value.
 *
 * A table of the usual ones, looked up when a file is read. It helps whoever writes the file; what protects is that
 * values are never part of a script.
 * @module
 */
import { choosesPrograms, type SyntaxNode } from '@sworn/govern/shell'

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const SHELLS = words('sh bash dash zsh ksh ash fish')
const SHELL_CODE = /^[-+][a-zA-Z]*c[a-zA-Z]*$/
/** They evaluate their arguments, names of variables included, or run them elsewhere. */
const EVALUATING = words('eval source . alias trap let declare typeset local export readonly unset read ssh su runuser parallel watch')
/** What runs the command behind it: its options that take the next word, and how many words stand before the command. */
const WRAPPERS: Readonly<Record<string, readonly [takes: string, operands?: number]>> = {
  env: ['-u -C --unset --chdir'],
  sudo: ['-u -g -p -C -h -r -t -T -D -R -U --user --group --prompt --chdir --host --role --type'],
  doas: ['-u -C'],
  exec: ['-a'],
  command: [''],
  builtin: [''],
  busybox: [''],
  nohup: [''],
  setsid: [''],
  nice: ['-n --adjustment'],
  ionice: ['-c -n -p --class --classdata'],
  time: ['-f -o --format --output'],
  timeout: ['-s -k --signal --kill-after'],
  stdbuf: ['-i -o -e --input --output --error'],
  chroot: ['', 1],
  flock: ['-w -E --timeout --conflict-exit-code', 1],
  unshare: ['-R -S -G -w'],
  xargs: ['-I -n -P -L -s -d -E -a --max-args --max-procs --max-lines --delimiter --arg-file'],
}
/** Between a wrapper and its command: options, assignments, times. */
const WRAPPING = /^-|^\w+=|^\d+(\.\d+)?[smhd]?$/
/** A command stands behind these words of find. */
const FIND_RUNS = words('-exec -execdir -ok -okdir')

interface Interpreter {
  /** Options that take a program, or the file of one. */
  readonly short: string
  readonly long?: ReadonlySet<string>
  /** Options that take something else. */
  readonly takes?: string
  /** Without one of these options the first operand is the program. */
  readonly isFirst?: true
}

const AWK: Interpreter = { short: 'feEil', long: words('source file exec include load'), takes: 'vF', isFirst: true }
const SED: Interpreter = { short: 'ef', long: words('expression file'), takes: 'l', isFirst: true }
/** In bash `test -v 'a[$(id)]'` runs `id`; awk and sed run programs too (`system`, `e`). */
const INTERPRETERS: Readonly<Record<string, Interpreter>> = {
  python: { short: 'c', takes: 'mWX' },
  node: { short: 'ep', long: words('eval print'), takes: 'rC' },
  bun: { short: 'ep', long: words('eval print'), takes: 'r' },
  perl: { short: 'eE', takes: 'MmIFCxi' },
  ruby: { short: 'e', takes: 'rICEF' },
  php: { short: 'rBRE', long: words('run process-begin process-code process-end'), takes: 'dc' },
  lua: { short: 'e', takes: 'l' },
  osascript: { short: 'e', takes: 'l' },
  awk: AWK,
  gawk: AWK,
  mawk: AWK,
  nawk: AWK,
  sed: SED,
  gsed: SED,
  script: { short: 'c', long: words('command') },
  rsync: { short: 'e', long: words('rsh') },
  tar: { short: 'IF', long: words('to-command use-compress-program checkpoint-action new-volume-script info-script rsh-command') },
  vim: { short: 'cS', long: words('cmd') },
  vi: { short: 'cS' },
  printf: { short: 'v' },
  test: { short: 'vR' },
  '[': { short: 'vR' },
}
/** As words of another command they are still programs: `docker exec box python -c …`. */
const LANGUAGES = words('python node bun perl ruby php lua')
/** Of a program whose name is only known when it runs. */
const ANY_CODE = /^-[a-zA-Z]*[ceErp]$/

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
  if (base === 'deno') return args.at(-1) === 'eval'
  if (base.includes('$')) return ANY_CODE.test(lastOf(args))
  if (SHELLS.has(base)) return SHELL_CODE.test(lastOf(args)) || !args.some((word) => /^[^-+]/.test(word))
  const inner = args.some((word, i) => isInner(baseOf(word), args.slice(i + 1), own))
  return inner || (Object.hasOwn(INTERPRETERS, base) && isCode(INTERPRETERS[base]!, args, own))
}

/** Where the program stands that runs; behind the last word while only wrappers are named. */
function programAt(before: readonly string[]): number {
  let at = 0
  for (let base = baseOf(before[at] ?? ''); Object.hasOwn(WRAPPERS, base); base = baseOf(before[at] ?? '')) {
    const [takes, operands = 0] = WRAPPERS[base]!
    at = skipOptions(before, at + 1, words(takes))
    if (operands > 0) at = skipOptions(before, at + operands, words(takes))
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
    if (node.type === 'Assignment') return choosesPrograms(node.name)
    if (node.type === 'Pipeline') return node.commands.some((command) => command.pos >= child.end && isShell(command))
    if (node.type !== 'Command') return false
    if (child.type === 'Word') return runsText(wordsOf(node, child.pos), unquoted(text.slice(child.pos, pos)))
    return isShell(node) && (child.type === 'HereDoc' || child.type === 'HereString')
  })
}

const unquoted = (text: string) => text.replace(/["'\\]/g, '')

type CommandNode = Extract<SyntaxNode, { type: 'Command' }>

/** The words of a command that end at `end` or before. */
function wordsOf({ name, args }: CommandNode, end: number): readonly string[] {
  return [name, ...args].flatMap((word) => (word && word.end <= end ? [word.type === 'Word' ? word.value : word.text] : []))
}

/** A shell, which may read its script from its input. */
function isShell(node: SyntaxNode): boolean {
  if (node.type !== 'Command') return false
  const all = wordsOf(node, node.end)
  return SHELLS.has(baseOf(all[programAt(all)] ?? ''))
}
