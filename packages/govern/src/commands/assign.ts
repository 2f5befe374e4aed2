/** Assignments: which of them change what other commands do. @module */
import type { Rule } from './rules.ts'
import type { Arg, Judge, Part, Scene } from './types.ts'
import { classifyVariable } from './variables.ts'

/** @param value undefined when the command does not show it (`read x`, `export x`) */
export function judgeAssignment(name: string, value: Arg | undefined, exported: boolean, part: Arg, scene: Scene, judge: Judge): void {
  const kind = classifyVariable(name, exported)
  const add = (verdict: 'needs_review' | 'dangerous', rule: Rule) => judge.add(verdict, rule, part)
  if (kind === 'dangerous') add('dangerous', 'changes_meaning')
  else if (kind === 'traces') add('dangerous', 'hides_traces')
  else if (kind === 'number' && !(value?.exact && /^\d*$/.test(value.value))) add('needs_review', 'evaluates')
  else if (kind === 'other') add('needs_review', 'changes_meaning')
  else if (kind === 'command') {
    if (!value) add('needs_review', 'changes_meaning')
    else if (value.value !== '') judge.text({ ...value, value: value.value.replace(/^\|+-?/, '') }, scene) // `LESSOPEN='|…'`
  }
}

/** A variable that a loop, a redirection or a coprocess sets. */
export function judgeName(name: string, part: Part, scene: Scene, judge: Judge): void {
  const setting: Arg = { ...part, value: name, exact: true, splits: false, mayBeOption: false, runs: [] }
  judgeAssignment(name, undefined, false, setting, scene, judge)
}

/** A word of the form `NAME=value`, or a name alone. */
export function judgeSetting(setting: Arg, exported: boolean, scene: Scene, judge: Judge): void {
  const equals = setting.value.indexOf('=')
  const name = (equals < 0 ? setting.value : setting.value.slice(0, equals)).replace(/\+$/, '')
  if (!/^[A-Za-z_]\w*$/.test(name)) judge.add('needs_review', setting.exact ? 'evaluates' : 'hidden_option', setting)
  else
    judgeAssignment(name, equals < 0 ? undefined : { ...setting, value: setting.value.slice(equals + 1) }, exported, setting, scene, judge)
}
