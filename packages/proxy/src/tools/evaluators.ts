/**
 * Programs that run what they are told: where a placeholder would become a program and not a value.
 *
 * A table of the usual ones, looked up when a file is read. It helps whoever writes the file; what protects is that
 * values are never part of a script.
 * @module
 */
import type { SyntaxNode } from '@sworn/govern/shell'

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const SHELLS = words('sh bash dash zsh ksh ash fish busybox')
const SHELL_CODE = /^[-+][a-zA-Z]*c[a-zA-Z]*$/
/** They evaluate their arguments, names of variables included, or run them elsewhere. */
const EVALUATING = words('eval source . alias trap let declare typeset local export readonly unset read ssh su parallel watch')
/** What runs the command behind it. */
const WRAPPERS = words('env sudo doas exec command builtin nohup nice ionice time timeout setsid stdbuf chroot unshare xargs')
/** Between a wrapper and its command: options, assignments, times. */
const WRAPPING = /^-|^\w+=|^\d+(\.\d+)?[smhd]?$/
/** Programs that take a program behind these options; in bash `test -v 'a[$(id)]'` runs `id`. */
const CODE: Readonly<Record<string, RegExp>> = {
  python: /^-[a-zA-Z]*c$/,
  node: /^(-e|-p|-pe|--eval|--print)$/,
  deno: /^eval$/,
  bun: /^-e$/,
  perl: /^-[a-zA-Z]*[eE]$/,
  ruby: /^-[a-zA-Z]*e$/,
  php: /^-[rBE]$/,
  lua: /^-e$/,
  osascript: /^-e$/,
  printf: /^-v$/,
  test: /^-[vR]$/,
  '[': /^-[vR]$/,
}
/** Of a program whose name is only known when it runs. */
const ANY_CODE = /^-[a-zA-Z]*[ceErp]$/

/** @param before the words before a placeholder. True when it would be a program, or the text of one */
export function runsText(before: readonly string[]): boolean {
  const found = programOf(before)
  if (!found) return true
  const { base, args } = found
  const last = args.filter((word) => word !== '--').at(-1) ?? ''
  if (EVALUATING.has(base)) return true
  if (SHELLS.has(base)) return SHELL_CODE.test(last) || !args.some((word) => /^[^-+]/.test(word))
  if (base.includes('$')) return ANY_CODE.test(last)
  return CODE[base]?.test(last) ?? false
}

/** The program that runs, without its folder and version; undefined while only wrappers are named. */
function programOf(before: readonly string[]): { readonly base: string; readonly args: readonly string[] } | undefined {
  let at = 0
  while (WRAPPERS.has(baseOf(before[at] ?? ''))) {
    at++
    while (WRAPPING.test(before[at] ?? '')) at++
  }
  const program = before[at]
  return program === undefined ? undefined : { base: baseOf(program), args: before.slice(at + 1) }
}

const baseOf = (word: string) => word.slice(word.lastIndexOf('/') + 1).replace(/[\d.]+$/, '') || word

/** @param chain the nodes around a placeholder, outermost first. True when one of them runs what it is told */
export function isEvaluated(chain: readonly SyntaxNode[]): boolean {
  return chain.some((node, i) => {
    const child = chain[i + 1]
    if (!child) return false
    if (node.type === 'Pipeline') return node.commands.some((command) => command.pos >= child.end && isShell(command))
    if (node.type !== 'Command') return false
    if (child.type === 'Word') return runsText(wordsOf(node, child.pos))
    return isShell(node) && (child.type === 'HereDoc' || child.type === 'HereString')
  })
}

type CommandNode = Extract<SyntaxNode, { type: 'Command' }>

/** The words of a command that end at `end` or before. */
function wordsOf({ name, args }: CommandNode, end: number): readonly string[] {
  return [name, ...args].flatMap((word) => (word && word.end <= end ? [word.type === 'Word' ? word.value : word.text] : []))
}

/** A shell, which may read its script from its input. */
function isShell(node: SyntaxNode): boolean {
  return node.type === 'Command' && SHELLS.has(programOf(wordsOf(node, node.end))?.base ?? '')
}
