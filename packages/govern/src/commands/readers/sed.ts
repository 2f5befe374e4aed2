/**
 * `sed`: scripts of the commands that only print and change the stream are harmless.
 *
 * `-i`, `w`, `e` and the flags `e` and `w` of `s` write or run. A script that is not read to its end needs review.
 * @module
 */

import { optionTable, readOptions } from '../options.ts'
import type { Arg, Judge } from '../types.ts'
import { hidesSlash } from './brackets.ts'
import type { Call } from './types.ts'

const OPTIONS = optionTable(
  '-nErsuz -e: -f: -l: -i: --quiet --silent --regexp-extended --expression= --file= --null-data --separate --unbuffered --posix --debug --sandbox --in-place=',
)

export function readSed({ args, word }: Call, judge: Judge): void {
  const { used, operands, unknown, hidden } = readOptions(args.map(splitSuffix), OPTIONS)
  for (const arg of unknown) judge.add('needs_review', 'unknown_option', arg)
  for (const arg of hidden) judge.add('needs_review', 'hidden_option', arg)
  const scripts = used.filter(({ name }) => name === '-e' || name === '--expression').flatMap(({ value }) => value ?? [])
  const files = used.filter(({ name }) => name === '-f' || name === '--file')
  const inPlace = used.find(({ name }) => name === '-i' || name === '--in-place')
  const inline = scripts.length === 0 && files.length === 0
  for (const script of inline ? operands.slice(0, 1) : scripts) judgeScript(script, judge)
  for (const { arg } of files) judge.add('needs_review', 'runs_code', arg)
  for (const file of operands.slice(inline ? 1 : 0)) {
    if (inPlace) judge.write(file)
    else judge.path(file, 'read')
  }
  if (inPlace) judge.add('needs_review', 'writes_file', inPlace.arg)
  if (inline && operands.length === 0) judge.add('needs_review', 'unparsed', word)
}

/** `-i` and `--in-place` have a suffix only when it is attached. */
function splitSuffix(arg: Arg): Arg {
  if (arg.value === '--in-place') return { ...arg, value: '--in-place=' }
  return /^-[nErsuz]*i/.test(arg.value) ? { ...arg, value: '--in-place=' } : arg
}

function judgeScript(script: Arg, judge: Judge): void {
  const rest = script.exact ? readCommands(script.value) : script.value
  if (rest === '') return
  judge.add(/^[gpiIMm0-9]*e/.test(rest) ? 'dangerous' : 'needs_review', 'runs_code', script)
  const file = /^[gpiIMm0-9]*[wW]\s*([^\n]+)/.exec(rest)?.[1]
  if (file) judge.write({ ...script, value: file })
}

const ADDRESS =
  /^\s*(\d+(~\d+)?|\$|\/([^/\\[\n]|\\.|\[\^?\]?[^\]/\\\n]*\])*\/[IM]*)(\s*,\s*(\+?\d+|~\d+|\$|\/([^/\\[\n]|\\.|\[\^?\]?[^\]/\\\n]*\])*\/[IM]*))?\s*!?\s*/
const SIMPLE = /^[pdqQlnNgGhHxDPz=](\s*\d+)?(?=\s*(;|\n|\}|$))/
const ENDS = /^\s*[;\n}]?\s*/

/** What is left of the script where a command is not known to be harmless. */
function readCommands(script: string): string {
  let rest = script
  for (let steps = 0; steps < 1000 && rest !== ''; steps++) {
    const before = rest.length
    rest = rest
      .replace(/^[\s;}]+/, '')
      .replace(ADDRESS, '')
      .replace(/^\{/, '')
    const simple = SIMPLE.exec(rest)
    const length = simple ? simple[0].length : measureSubstitution(rest)
    rest = rest.slice(length)
    if (length > 0 && !/^(\s*[;\n}]|\s*$)/.test(rest)) return rest
    rest = rest.replace(ENDS, '')
    if (rest.length === before) return rest
  }
  return rest
}

/** `s/…/…/flags` and `y/…/…/`, when no bracket could hide a delimiter; 0 when it is anything else. */
function measureSubstitution(text: string): number {
  const delimiter = text[1]
  if (!/^[sy]$/.test(text[0] ?? '') || !delimiter || /[\\\n\w\s]/.test(delimiter)) return 0
  const first = findDelimiter(text, 2, delimiter)
  const second = first < 0 ? -1 : findDelimiter(text, first + 1, delimiter)
  if (second < 0 || hidesSlash(text.slice(2, first))) return 0
  const flags = /^[gpiIM0-9]*/.exec(text.slice(second + 1))![0]
  return second + 1 + (text[0] === 's' ? flags.length : 0)
}

function findDelimiter(text: string, from: number, delimiter: string): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === delimiter) return i
  }
  return -1
}
