/**
 * One simple command: its assignments and redirections, then its words, and what it prints when the text tells.
 * @module
 */
import { judgeAssignment } from './assign.ts'
import type { Assignment, CommandNode } from './parse.ts'
import { readRedirects } from './redirects.ts'
import type { Arg, Judge, Part, Scene } from './types.ts'
import { placeOf, readWord, type WordHost } from './words.ts'

type SimpleCommand = Extract<CommandNode, { type: 'Command' }>

/** What the walk reports to. */
export interface WalkHost extends Judge, WordHost {
  /** Counts a step; false when the text has more parts, or is nested deeper, than is judged. */
  step(scene: Scene): boolean
  /** Names of the programs that were met so far. */
  readonly met: readonly string[]
  /** Remembers what a variable was set to. */
  remember(name: string, value: Arg): void
}

export function partOf(node: { readonly pos: number; readonly end: number; readonly text?: string }, scene: Scene): Part {
  return { ...placeOf(node, scene), text: node.text ?? '' }
}

export function walkCommand(node: SimpleCommand, scene: Scene, host: WalkHost): void {
  const items = [...node.prefix, ...node.suffix]
  const redirects = items.filter((item) => item.type === 'Redirect' || item.type === 'HereDoc' || item.type === 'HereString')
  const stdin = readRedirects(redirects, scene, host) ?? scene.stdin
  for (const item of node.prefix) if (item.type === 'Assignment') walkAssignment(item, node.name !== undefined, scene, host)
  if (!node.name) return
  const words = [...readWord(node.name, scene, host)]
  for (const item of node.suffix) {
    if (item.type === 'Word') words.push(...readWord(item, scene, host))
    else if (item.type === 'Assignment') words.push(readSetting(item, scene, host))
  }
  host.call(words, { ...scene, stdin })
}

function walkAssignment(node: Assignment, exported: boolean, scene: Scene, host: WalkHost): void {
  const setting = readSetting(node, scene, host)
  const value = { ...setting, value: setting.value.slice(node.name.length + 1) }
  judgeAssignment(node.name, value, exported, setting, scene, host)
}

/** `name=value` as one word; an index is evaluated. */
function readSetting(node: Assignment, scene: Scene, host: WalkHost): Arg {
  const { index, name, value } = node
  if (index) {
    readWord(index, scene, host)
    if (!/^\d+$/.test(index.text)) host.evaluated(partOf(index, scene))
  }
  const words = value.type === 'ArrayValue' ? value.elements : [value]
  const values = words.flatMap((word) => readWord(word, scene, host))
  const joined = values.map((word) => word.value).join(' ')
  const setting: Arg = {
    ...partOf(node, scene),
    value: `${name}=${joined}`,
    exact: values.every(({ exact }) => exact),
    splits: false,
    mayBeOption: false,
    runs: values.flatMap(({ runs }) => runs),
  }
  host.remember(name, { ...setting, value: joined })
  return setting
}

/** What `echo`, `printf` and `cat <<…` print, so that it can be judged where a shell reads it. */
export function findPrinted({ name, suffix, redirects }: SimpleCommand, scene: Scene, host: WalkHost): Arg | undefined {
  const silent = { ...host, script: () => [], substitutions: () => [], ambiguous: () => {}, evaluated: () => {} }
  if (name?.value === 'cat') return readRedirects(redirects, scene, { ...silent, add: () => {}, path: () => {}, write: () => {} })?.text
  if (name?.value !== 'echo' && name?.value !== 'printf') return undefined
  const words = suffix.flatMap((word) => (word.type === 'Word' ? readWord(word, scene, silent) : []))
  const [first] = words
  if (!first) return undefined
  const value = words.map((word) => word.value).join(' ')
  return { ...first, value: value.replace(/^(-[neE]+ )+/, '').replaceAll('\\n', '\n'), end: words.at(-1)!.end }
}
