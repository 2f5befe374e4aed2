/**
 * One program and its arguments, judged against its line in the table.
 *
 * A program without a line needs review. A line says what is harmless; everything else is reported.
 * @module
 */
import { judgeSetting } from './assign.ts'
import { applyOperands, applyOptions } from './effects.ts'
import { isOption, optionTable, readOptions } from './options.ts'
import { READERS } from './readers/index.ts'
import { isWildcard, matchPattern } from './roles.ts'
import { findProgram, findSubcommand } from './table/index.ts'
import type { Program } from './table/program.ts'
import type { Arg, Judge, Scene, Verdict } from './types.ts'

export interface RolePatterns {
  readonly allowed: readonly string[]
  readonly blocked: readonly string[]
}

/** What `judgeCall` needs besides reporting. */
export interface CallHost extends Judge {
  /** Remembers a program; undefined when there are too many. */
  program(name: string): void
  /** The worst verdict of what was reported since. */
  since(mark: number): Verdict
  mark(): number
  /** Takes back what was reported since. */
  forget(mark: number): void
}

const STANDARD = /^(\/usr)?(\/local)?\/s?bin\/[^/]+$|^\/opt\/homebrew\/bin\/[^/]+$/

/** @param words the program's name first; at least one */
export function judgeCall(words: readonly Arg[], scene: Scene, roles: RolePatterns, host: CallHost): void {
  const [word] = words
  if (!word) return
  const name = word.value.slice(word.value.lastIndexOf('/') + 1)
  host.program(name)
  const mark = host.mark()
  if (!word.exact) host.add('needs_review', 'dynamic_program', word)
  judgeProgram(word, name, words.slice(1), scene, host)
  applyRoles(words, name, mark, roles, host)
}

/**
 * What a role spelled out to the letter is allowed whatever it is; what it allowed with a wildcard only when it
 * is not dangerous.
 */
function applyRoles(words: readonly Arg[], name: string, mark: number, { allowed, blocked }: RolePatterns, host: CallHost): void {
  const [word] = words
  const worst = host.since(mark)
  const lifts = (pattern: string) => matchPattern(pattern, name, words) === 'yes' && (worst !== 'dangerous' || !isWildcard(pattern))
  if (word!.exact && isOrdinary(word!) && allowed.some(lifts)) host.forget(mark)
  const matches = blocked.map((pattern) => matchPattern(pattern, name, words))
  if (matches.includes('yes')) host.add('dangerous', 'blocked_by_role', word!)
  else if (matches.includes('maybe')) host.add('needs_review', 'may_be_blocked', word!)
}

function isOrdinary({ value }: Arg): boolean {
  return !value.includes('/') || STANDARD.test(value)
}

function judgeProgram(word: Arg, name: string, args: readonly Arg[], scene: Scene, host: CallHost): void {
  if (!isOrdinary(word)) host.path(word, 'execute')
  const program = findProgram(name) ?? (isOrdinary(word) ? undefined : findProgram(name.toLowerCase()))
  if (!program || !isOrdinary(word)) host.add('needs_review', 'unknown_program', word)
  if (program && !onlyTells(program, args)) judgeArguments(program, word, args, scene, host)
}

function onlyTells({ wraps, reader, raise, tells }: Program, args: readonly Arg[]): boolean {
  const [arg] = args
  if (args.length === 1 && arg!.exact && tells?.split(' ').includes(arg!.value)) return true
  if (wraps !== undefined || reader === 'eval' || reader === 'source' || reader === 'parallel') return false
  return args.length === 1 && !raise?.['--version'] && arg!.exact && (arg!.value === '--version' || arg!.value === '--help')
}

function judgeArguments(program: Program, word: Arg, args: readonly Arg[], scene: Scene, host: CallHost): void {
  const reader = program.reader && READERS[program.reader]
  if (reader) reader({ program, word, args, scene }, host)
  else judgeByTable(program, word, args, scene, host)
}

function judgeByTable(program: Program, word: Arg, args: readonly Arg[], scene: Scene, host: CallHost): void {
  const nested = program.sub !== undefined || program.wraps !== undefined
  const options = readOptions(args, optionsOf(program), nested)
  const runs = applyOptions(program, options, scene, host)
  const { operands, unknown, used } = options
  const doubtful = unknown.length > 0
  const looks = program.looks?.split(' ')
  if (looks && used.some(({ name }) => looks.includes(name))) return
  if (program.sub) judgeSubcommand(program, word, operands, doubtful, scene, host)
  else {
    report(program, word, operands, isBare(program, args, operands, doubtful), host)
    if (program.wraps === undefined) applyOperands(program, operands, host)
    else if (runs) judgeWrapped(program, operands, doubtful, scene, host)
  }
}

/** Nothing but options that are listed; where all are harmless because the call is not safe anyway, nothing at all. */
function isBare({ is, wraps }: Program, args: readonly Arg[], operands: readonly Arg[], doubtful: boolean): boolean {
  return is === 'safe' || wraps !== undefined ? operands.length === 0 && !doubtful : args.length === 0
}

function optionsOf({ options, raise, is, sub, wraps }: Program) {
  const open = is !== 'safe' && !sub && wraps === undefined // nothing to lose: it is not safe anyway
  return optionTable(`${options ?? ''}${open ? ' *' : ''} ${Object.keys(raise ?? {}).join(' ')}`)
}

/** The verdict that the line gives by itself. */
function report({ is, rule, named, alone }: Program, word: Arg, operands: readonly Arg[], bare: boolean, host: CallHost): void {
  const own = bare && alone ? alone : is
  const verdict = named && operands.length > 0 ? named : own
  if (verdict !== 'safe') host.add(verdict, rule ?? 'unknown_option', word)
}

function judgeSubcommand(program: Program, word: Arg, operands: readonly Arg[], doubtful: boolean, scene: Scene, host: CallHost): void {
  const [first, ...rest] = operands
  const sub = first?.exact ? findSubcommand(program, first.value) : undefined
  if (first && sub) judgeArguments({ ...sub, rule: sub.rule ?? program.rule ?? 'unknown_option' }, first, rest, scene, host)
  else if (!first) report(program, word, operands, !doubtful, host)
  else {
    report({ ...program, is: program.is === 'safe' ? 'needs_review' : program.is }, word, operands, false, host)
    if (!first.exact) host.add('needs_review', 'hidden_option', first)
    applyOperands(program, operands, host)
  }
}

/** With an unknown option it is not clear which word is the program: each of the first may be. */
function judgeWrapped({ wraps = 0, assigns }: Program, operands: readonly Arg[], doubtful: boolean, scene: Scene, host: CallHost): void {
  const rest = operands.slice(wraps)
  const first = assigns ? rest.findIndex(({ value }) => !/^[A-Za-z_]\w*=/.test(value)) : 0
  for (const setting of rest.slice(0, first < 0 ? rest.length : first)) judgeSetting(setting, true, scene, host)
  if (first < 0 || rest.length === 0) return
  const command = rest.slice(first)
  const starts = doubtful ? [0, 1, 2] : [0]
  for (const start of starts) {
    const words = command.slice(start)
    if (words[0] && (start === 0 || !isOption(words[0]))) host.call(words, scene)
  }
}
