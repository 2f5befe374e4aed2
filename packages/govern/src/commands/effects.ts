/** What options and operands do, once they are read. @module */
import type { ReadOptions, UsedOption } from './options.ts'
import type { Rule } from './rules.ts'
import { isFeed } from './table/index.ts'
import type { Effect, Program } from './table/program.ts'
import type { Arg, Judge, Scene } from './types.ts'

/** git settings whose value is a command, or that decide where commands come from. */
const EXECUTING_CONFIG =
  /^(core\.(sshcommand|editor|fsmonitor|hookspath|gitproxy|askpass|attributesfile|worktree|alternaterefscommand)|sequence\.editor|diff\..*(external|command|textconv|tool)|difftool\.|mergetool\.|merge\..*driver|filter\.|credential\.|gpg\.|protocol\.|include|url\.|uploadpack|remote\.|http\.|safe\.|trailer\.|man\.|browser\.|web\.|sendemail\.|tar\.|receive\.|submodule\.|init\.templatedir|help\.)/i
const HARMLESS_CONFIG =
  /^(color\.[\w.]+|core\.(quotepath|abbrev|autocrlf|whitespace|ignorecase)|user\.(name|email)|advice\.\w+|log\.\w+|status\.\w+|column\.\w+|diff\.(renames|algorithm|context|mnemonicprefix|noprefix))$/i

/** Reports what the options make of a call; false when one of them says that nothing is run. */
export function applyOptions(program: Program, options: ReadOptions, scene: Scene, judge: Judge): boolean {
  for (const arg of options.unknown) judge.add('needs_review', 'unknown_option', arg)
  if (isChangedByOptions(program)) for (const arg of options.hidden) judge.add('needs_review', 'hidden_option', arg)
  let runs = true
  for (const option of options.used) {
    const effect = findEffect(program, option.name)
    if (effect === 'stops') runs = false
    else if (effect) applyEffect(effect, option, program.raiseRule ?? program.rule ?? 'unknown_option', scene, judge)
  }
  return runs
}

/** Whether an option that nobody sees could make it worse. */
function isChangedByOptions({ is, options, raise, sub, wraps }: Program): boolean {
  if (raise || sub || wraps !== undefined) return true
  return is === 'safe' && !/(^| )\*( |$)/.test(options ?? '')
}

function findEffect({ raise }: Program, name: string): Effect | undefined {
  return raise?.[name] ?? raise?.[`${name}:`] ?? raise?.[`${name}=`]
}

function applyEffect(effect: Exclude<Effect, 'stops'>, { arg, value }: UsedOption, rule: Rule, scene: Scene, judge: Judge): void {
  if (effect === 'safe') return
  if (effect === 'needs_review' || effect === 'dangerous') judge.add(effect, rule, arg)
  else if (!value) judge.add('needs_review', 'unknown_option', arg)
  else if (effect === 'reads') judge.path(value, 'read')
  else if (effect === 'writes') judge.write(value)
  else if (effect === 'config') applyConfig(value, scene, judge)
  else if (effect === 'runs') runText(value, scene, judge)
  else {
    judge.path(value, 'execute')
    judge.add('needs_review', 'runs_code', value)
  }
}

/** Text that some program hands to a shell: never less than review, because that program adds to it. */
export function runText(value: Arg, scene: Scene, judge: Judge): void {
  judge.add('needs_review', 'runs_code', value)
  judge.text({ ...value, value: value.value.replace(/^:*!/, '') }, scene)
}

/** `-c name=value` of git. */
function applyConfig(setting: Arg, scene: Scene, judge: Judge): void {
  const equals = setting.value.indexOf('=')
  const name = equals < 0 ? setting.value : setting.value.slice(0, equals)
  const value = { ...setting, value: equals < 0 ? '' : setting.value.slice(equals + 1) }
  if (/^(core\.pager|pager\.[\w-]+)$/i.test(name)) {
    if (!/^(false|true|)$/.test(value.value)) judge.text(value, scene)
  } else if (/^alias\./i.test(name)) runText(value, scene, judge)
  else if (EXECUTING_CONFIG.test(name)) judge.add('dangerous', 'changes_meaning', setting)
  else if (!setting.exact || !HARMLESS_CONFIG.test(name)) judge.add('needs_review', 'changes_meaning', setting)
}

/** Files that operands name, and words that make the call worse. */
export function applyOperands(program: Program, operands: readonly Arg[], judge: Judge): void {
  const paths = operands.slice(program.after ?? 0)
  for (const [i, arg] of paths.entries()) {
    if (program.operands === 'writes' || (program.operands === 'last' && i > 0 && i === paths.length - 1)) judge.write(arg)
    else if (program.operands === 'executes') judge.path(arg, 'execute')
    else if (program.operands) judge.path(arg, 'read')
  }
  for (const [pattern, verdict] of program.words ?? []) {
    for (const arg of operands) {
      if (verdict !== 'safe' && pattern.test(arg.value)) judge.add(verdict, program.raiseRule ?? program.rule ?? 'unknown_option', arg)
    }
  }
}

/** Code that arrives through a substitution or a pipe. */
export function judgeSource(from: readonly string[], part: Arg, judge: Judge): void {
  const fed = from.some(isFeed)
  judge.add(fed ? 'dangerous' : 'needs_review', fed ? 'runs_fetched_code' : 'runs_code', part)
}
