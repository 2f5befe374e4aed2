/** Programs that run a command again and again, with words that come from elsewhere. @module */
import { applyOptions } from '../effects.ts'
import { optionTable, readOptions } from '../options.ts'
import type { Arg, Judge } from '../types.ts'
import { fillIn } from './find.ts'
import type { Call } from './types.ts'

const XARGS =
  '-0rtpxo -n: -P: -L: -d: -s: -E: -I: -i -a: --null --no-run-if-empty --max-args= --max-procs= --max-lines= --delimiter= --replace --verbose --arg-file= --exit'

/** What it reads becomes arguments: any words, any options, unless `-I` says where they go. */
export function readXargs({ program, word, args, scene }: Call, judge: Judge): void {
  const options = readOptions(args, optionTable(XARGS), true)
  applyOptions(program, options, scene, judge)
  const from = scene.stdin?.from ?? []
  const placeholder = options.used.find(({ name }) => name === '-I' || name === '-i' || name === '--replace')
  const inner = { ...scene, stdin: undefined }
  const unknown: Arg = { ...word, value: '', exact: false, splits: true, mayBeOption: true, runs: from }
  const starts = options.unknown.length > 0 ? [0, 1] : [0]
  for (const start of starts) {
    const command = options.operands.slice(start)
    if (command.length === 0) continue
    const filled = placeholder ? command.map((arg) => fillIn(arg, placeholder.value?.value || '{}', from)) : [...command, unknown]
    judge.call(filled, inner)
  }
}

/** `parallel` and `watch` hand their words, joined, to a shell. */
export function readParallel({ program, word, args, scene }: Call, judge: Judge): void {
  judge.add('needs_review', program.rule ?? 'runs_code', word)
  const options = optionTable(`${program.options ?? '-j: -k -n: -N: -X -m -a: --jobs= --dry-run --bar --keep-order --halt= --tag --eta'} *`)
  const { operands } = readOptions(args, options, true)
  const split = operands.findIndex(({ value }) => /^:::/.test(value))
  const command = split < 0 ? operands : operands.slice(0, split)
  const inputs = split < 0 ? [] : operands.slice(split + 1)
  const texts = command.length > 0 ? [join(command, word)] : inputs // without a command the inputs are the commands
  for (const text of texts) judge.text(text, { ...scene, stdin: undefined })
}

/** Several words as the one text that a shell is given. */
export function join(words: readonly Arg[], word: Arg): Arg {
  if (words.length === 0) return word
  return {
    value: words.map(({ value }) => value).join(' '),
    exact: words.every(({ exact }) => exact),
    splits: false,
    mayBeOption: false,
    runs: words.flatMap(({ runs }) => runs),
    text: words.map(({ text }) => text).join(' '),
    start: Math.min(...words.map(({ start }) => start)), // what xargs adds stands where xargs does
    end: Math.max(...words.map(({ end }) => end)),
  }
}
