/**
 * Shells and other interpreters: where the code comes from decides.
 *
 * Shell text is judged again. Other languages are not read here, so they need review; code that was fetched or
 * decoded on the way is dangerous whatever the language.
 * @module
 */
import { judgeSource } from '../effects.ts'
import { isOption, optionTable, readOptions } from '../options.ts'
import { isFeed } from '../table/index.ts'
import type { Arg, Judge, Scene } from '../types.ts'
import { join } from './multipliers.ts'
import type { Call } from './types.ts'

const SHELL_OPTIONS =
  '-aefhklmnpruvxBCDEHPTtilsc -o: -O: --norc --noprofile --posix --login --verbose --restricted --debugger --rcfile= --init-file='
/** Operands that mean the standard input. */
const STDIN = /^(-|\/dev\/(stdin|fd\/0)|\/proc\/self\/fd\/0)$/

export function readShell({ program, word, args, scene }: Call, judge: Judge): void {
  if (program.is !== 'safe') judge.add('needs_review', 'runs_code', word) // its syntax is not the one read here
  const plus = args.filter(({ value }) => !/^\+[a-zA-Z]$/.test(value))
  const { used, operands, unknown, hidden } = readOptions(plus, optionTable(SHELL_OPTIONS), true)
  for (const arg of unknown) judge.add('needs_review', 'unknown_option', arg)
  for (const arg of hidden) judge.add('needs_review', 'hidden_option', arg)
  for (const { name, value } of used) {
    if (value && (name === '--rcfile' || name === '--init-file')) readScript(value, scene, judge)
  }
  const [first] = operands
  const reads = used.some(({ name }) => name === '-s')
  if (used.some(({ name }) => name === '-c')) {
    if (first) judge.text(first, scene)
    else judge.add('needs_review', 'runs_code', word)
  } else if (first && !reads && !STDIN.test(first.value)) readScript(first, scene, judge)
  else readInput(word, scene, judge)
}

/** A file that is run: its content is not here. */
function readScript(script: Arg, scene: Scene, judge: Judge): void {
  judge.path(script, 'execute')
  judgeSource(script.runs.length > 0 ? script.runs : [], script, judge)
  if (STDIN.test(script.value) && scene.stdin) readInput(script, scene, judge)
}

/** Code from the standard input: a here-document is read, a pipe only known by what feeds it. */
function readInput(word: Arg, { stdin, ...scene }: Scene, judge: Judge): void {
  if (stdin?.text) judge.text(stdin.text, { ...scene, stdin: undefined })
  if (!stdin?.text || stdin.from.length > 0) judgeSource(stdin?.from ?? [], word, judge)
}

/** Python, node, perl and the like. */
export function readInterpreter({ args, word, scene }: Call, judge: Judge): void {
  judge.add('needs_review', 'runs_code', word)
  for (const arg of args) if (arg.runs.some(isFeed)) judgeSource(arg.runs, arg, judge)
  const script = args.find((arg) => !isOption(arg))
  const inline = args.some(({ value }) => /^(-[a-zA-Z]*[ceprmE]|--eval|--print|eval)/.test(value))
  if (script && !inline && !STDIN.test(script.value)) judge.path(script, 'execute')
  else if (!inline && scene.stdin) judgeSource(scene.stdin.from, word, judge)
}

/** `eval` and `trap`: arguments are shell text. */
export function readEval({ word, args, scene }: Call, judge: Judge): void {
  const words = args[0]?.value === '--' ? args.slice(1) : args
  const [first] = words
  const code = word.value === 'trap' ? first : first && join(words, word)
  if (code && !(word.value === 'trap' && /^(-[lp]?|)$/.test(code.value))) judge.text(code, scene)
}

/** `source` and `.`. */
export function readSource({ word, args, scene }: Call, judge: Judge): void {
  const [script] = args
  if (script) readScript(script, scene, judge)
  else judge.add('needs_review', 'runs_code', word)
}
