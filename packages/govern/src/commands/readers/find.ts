/** `find`: tests that look, actions that write, delete or run. @module */
import type { Arg, Judge, Scene } from '../types.ts'
import type { Call } from './types.ts'

const ALONE = new Set(
  '! ( ) , -a -o -and -or -not -true -false -print -print0 -ls -prune -quit -depth -d -mount -xdev -follow -daystart -empty -readable -writable -executable -nouser -nogroup -noleaf -warn -nowarn -ignore_readdir_race -noignore_readdir_race -H -L -P -E -X -s -x'.split(
    ' ',
  ),
)
const WITH_VALUE = new Set(
  '-name -iname -path -ipath -wholename -iwholename -regex -iregex -regextype -lname -ilname -type -xtype -maxdepth -mindepth -size -mtime -atime -ctime -mmin -amin -cmin -newer -anewer -cnewer -newermt -newerat -newerct -user -group -uid -gid -perm -links -inum -samefile -fstype -used -printf -context -D -O1 -O2 -O3'.split(
    ' ',
  ),
)
const RUNS = new Set(['-exec', '-execdir', '-ok', '-okdir'])
const WRITES = new Set(['-fprint', '-fprint0', '-fprintf', '-fls'])

export function readFind({ args, scene }: Call, judge: Judge): void {
  let i = 0
  while (i < args.length && !startsExpression(args[i]!)) {
    const root = args[i++]!
    if (root.mayBeOption) judge.add('needs_review', 'hidden_option', root)
    judge.path(root, 'read')
  }
  while (i < args.length) i = readTerm(args, i, scene, judge)
}

function startsExpression({ value }: Arg): boolean {
  return /^-.|^[!(),]$/.test(value)
}

function readTerm(args: readonly Arg[], i: number, scene: Scene, judge: Judge): number {
  const term = args[i]!
  const { value } = term
  if (!term.exact) judge.add('needs_review', 'hidden_option', term)
  else if (ALONE.has(value)) return i + 1
  else if (WITH_VALUE.has(value)) return i + 2
  else if (value === '-delete') judge.add('dangerous', 'deletes', term)
  else if (RUNS.has(value)) return readExec(args, i + 1, scene, judge)
  else if (WRITES.has(value) && args[i + 1]) {
    judge.write(args[i + 1]!)
    return i + (value === '-fprintf' ? 3 : 2)
  } else judge.add('needs_review', 'unknown_option', term)
  return i + 1
}

/** Up to `;` or `+`. A file name stands for `{}`, so shell text with it in is code that the text does not show. */
function readExec(args: readonly Arg[], from: number, scene: Scene, judge: Judge): number {
  let end = from
  while (end < args.length && args[end]!.value !== ';' && !(args[end]!.value === '+' && args[end - 1]?.value === '{}')) end++
  const words = args.slice(from, end).map((arg) => fillIn(arg, '{}', []))
  if (words.length > 0) judge.call(words, { ...scene, stdin: undefined })
  else judge.add('needs_review', 'unparsed', args[from - 1]!)
  return end + 1
}

/** A word whose placeholder is replaced at run time. */
export function fillIn(arg: Arg, placeholder: string, runs: readonly string[]): Arg {
  if (placeholder === '' || !arg.value.includes(placeholder)) return arg
  return { ...arg, exact: false, mayBeOption: arg.mayBeOption || arg.value.startsWith(placeholder), runs: [...arg.runs, ...runs] }
}
