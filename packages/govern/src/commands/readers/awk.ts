/**
 * `awk`: programs that only compute and print are harmless.
 *
 * Strings, comments and regular expressions are skipped as awk does; `system`, `getline`, pipes, redirections and
 * indirect calls are not. Where it is unclear which of the two a slash is, the program needs review.
 * @module
 */

import { optionTable, readOptions } from '../options.ts'
import type { Arg, Judge } from '../types.ts'
import { hidesSlash } from './brackets.ts'
import type { Call } from './types.ts'

const OPTIONS = optionTable('-F: -v: -f: --field-separator= --assign= --posix --re-interval -b -P')
const RUNS = /(^|[^\w])(system|getline|close|fflush|function|func)\b|@/

export function readAwk({ args, word, scene }: Call, judge: Judge): void {
  const { used, operands, unknown, hidden } = readOptions(args, OPTIONS, true)
  for (const arg of unknown) judge.add('needs_review', 'unknown_option', arg)
  for (const arg of hidden) judge.add('needs_review', 'hidden_option', arg)
  const files = used.filter(({ name }) => name === '-f')
  for (const { value, arg } of files) {
    if (value) judge.path(value, 'execute')
    judge.add('needs_review', 'runs_code', arg)
  }
  const script = files.length > 0 ? undefined : operands[0]
  if (script) judgeProgram(script, judge, (text) => judge.text({ ...script, value: text }, scene))
  else if (files.length === 0) judge.add('needs_review', 'unparsed', word)
  for (const file of operands.slice(script ? 1 : 0)) judge.path(file, 'read')
}

/** The strings of a program that runs something may be what it runs. */
function judgeProgram(script: Arg, judge: Judge, text: (value: string) => void): void {
  const read = script.exact ? readProgram(script.value) : undefined
  if (read?.code.includes('ENVIRON')) judge.add('needs_review', 'secrets', script)
  if (read && !RUNS.test(read.code) && read.pipes === '') return
  const writes = read?.pipes.includes('>') === true
  judge.add('needs_review', writes ? 'writes_file' : 'runs_code', script)
  for (const value of read?.strings ?? []) {
    text(value)
    if (writes) judge.write({ ...script, value })
  }
}

interface AwkText {
  /** Everything but strings, comments and regular expressions. */
  readonly code: string
  /** Pipes, and what `print` redirects. */
  readonly pipes: string
  readonly strings: readonly string[]
}

const TOKEN = /"(?:[^"\\\n]|\\.)*"|#[^\n]*|\|\||[A-Za-z_]\w*|\d[\w.]*|\s+|[\s\S]/y

/** Undefined when a string or an expression has no end. */
function readProgram(program: string): AwkText | undefined {
  const strings: string[] = []
  let [code, pipes, printing, last] = ['', '', false, '']
  TOKEN.lastIndex = 0
  for (let token = TOKEN.exec(program)?.[0]; token !== undefined; token = TOKEN.exec(program)?.[0]) {
    if (token === '"') return undefined
    if (token === '\\') return undefined
    const slash = token === '/' ? classifySlash(last) : 'division'
    if (slash === 'unclear') return undefined
    if (slash === 'regex') {
      const length = measureRegex(program, TOKEN.lastIndex)
      if (length === undefined) return undefined
      TOKEN.lastIndex += length
      last = '"'
      continue
    }
    if (token.length > 1 && token.startsWith('"')) strings.push(token.slice(1, -1).replace(/\\(.)/g, '$1'))
    else if (!token.startsWith('#')) code += token
    if (token === '|' || (token === '>' && printing)) pipes += token
    printing = token === 'print' || token === 'printf' || (printing && token !== ';' && token !== '}')
    if (/\S/.test(token)) last = token
    else if (token.includes('\n')) last = '\n'
  }
  return { code, pipes, strings }
}

/** What a slash is after this token; after a keyword, a parenthesis or an increment only the grammar knows. */
function classifySlash(last: string): 'division' | 'regex' | 'unclear' {
  if (/^(print|printf|return|in|exit|delete|case|else|do|length|getline)$/.test(last)) return 'unclear'
  if (/[\w\]"]$/.test(last)) return 'division'
  return /^[\n;{}(,!~&|=<>?:*%^]?$/.test(last) || last === '||' ? 'regex' : 'unclear'
}

/** From after the opening slash to after the closing one; undefined when a bracket might hide it. */
function measureRegex(program: string, from: number): number | undefined {
  for (let i = from; i < program.length && program[i] !== '\n'; i++) {
    if (program[i] === '\\') i++
    else if (program[i] === '/') {
      const pattern = program.slice(from, i)
      return hidesSlash(pattern) ? undefined : i + 1 - from
    }
  }
  return undefined
}
