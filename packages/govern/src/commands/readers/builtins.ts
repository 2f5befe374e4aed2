/** Builtins that set variables or options, and `test`. @module */
import { judgeAssignment, judgeSetting } from '../assign.ts'
import { runText } from '../effects.ts'
import { isOption } from '../options.ts'
import type { Arg, Judge } from '../types.ts'
import type { Call } from './types.ts'

/** `export`, `declare`, `alias`: every operand is `NAME=value`. */
export function readAssignments({ program, word, args, scene }: Call, judge: Judge): void {
  const name = word.value
  if (program.rule !== 'changes_meaning' && args.every(isOption)) judge.add('needs_review', 'secrets', word) // it prints every variable
  for (const arg of args) {
    if (isOption(arg) || (!arg.exact && arg.mayBeOption)) {
      if (!/^-[pagxr]+$/.test(arg.value)) judge.add('needs_review', 'evaluates', arg)
    } else if (program.rule === 'changes_meaning') readAlias(arg, { program, word, args, scene }, judge)
    else judgeSetting(arg, name === 'export' || args.some(({ value }) => /^-\w*x/.test(value)), scene, judge)
  }
}

/** A later command may be something else. */
function readAlias(arg: Arg, { scene }: Call, judge: Judge): void {
  const equals = arg.value.indexOf('=')
  if (equals < 0) return
  judge.add('needs_review', 'changes_meaning', arg)
  runText({ ...arg, value: arg.value.slice(equals + 1) }, scene, judge)
}

/** `read`, `mapfile`, `unset`: operands are names; an index in a name is evaluated. */
export function readNames({ word, args, scene }: Call, judge: Judge): void {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (/^-[pdntNuiOcs]$/.test(arg.value) && word.value === 'read' && arg.value !== '-s') i++
    else if (isOption(arg)) {
      if (!/^-[rsetzfv]+$/.test(arg.value)) judge.add('needs_review', 'unknown_option', arg)
    } else if (!arg.exact || !/^[A-Za-z_]\w*$/.test(arg.value)) judge.add('needs_review', 'evaluates', arg)
    else judgeAssignment(arg.value, undefined, false, arg, scene, judge)
  }
}

/** Options that stop at errors are harmless; the others change how the rest is read. */
export function readSet({ word, args }: Call, judge: Judge): void {
  const [first] = args
  if (first?.value === '--' && word.value === 'set') return
  if (!first && word.value === 'set') judge.add('needs_review', 'secrets', word)
  const off = args.find(({ value }) => value === '+o' || value === '-u')
  if (off && args.some(({ value }) => value === 'history')) judge.add('dangerous', 'hides_traces', off)
  const harmless =
    word.value === 'set' ? /^([-+][euo]+|pipefail|errexit|nounset)$/ : /^(-[su]+|nullglob|failglob|globstar|dotglob|nocaseglob|lastpipe)$/
  for (const arg of args) if (!arg.exact || !harmless.test(arg.value)) judge.add('needs_review', 'changes_meaning', arg)
}

/** `-v name[…]` evaluates the index, and numbers are evaluated by zsh and ksh; everything else only looks. */
export function readTest({ args }: Call, judge: Judge): void {
  for (const [i, arg] of args.entries()) {
    if (arg.value === '-v' || arg.value === '-R') {
      const name = args[i + 1]
      if (!name?.exact || !/^\w*\]?$/.test(name.value)) judge.add('needs_review', 'evaluates', arg)
    }
    if (/^-(eq|ne|lt|le|gt|ge)$/.test(arg.value)) {
      for (const side of [args[i - 1], args[i + 1]]) if (side && /[[`]/.test(side.value)) judge.add('needs_review', 'evaluates', side)
    }
    if (arg.value.includes('/') || arg.value.startsWith('~')) judge.path(arg, 'read')
  }
}
