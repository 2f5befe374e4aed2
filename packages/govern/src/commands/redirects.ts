/** Redirections: what is written, what is read, and what a command finds on its standard input. @module */
import { judgeName } from './assign.ts'
import type { Redirection } from './parse.ts'
import type { Arg, Judge, Scene, Stdin } from './types.ts'
import { placeOf, readParts, readWord, type WordHost } from './words.ts'

/** Judges each; gives the standard input that the last one sets, undefined when none does. */
export function readRedirects(redirects: readonly Redirection[], scene: Scene, host: Judge & WordHost): Stdin | undefined {
  let stdin: Stdin | undefined
  for (const node of redirects) {
    const input = readRedirect(node, scene, host)
    if (node.descriptor?.type === 'FileDescriptorVariable') {
      const { name } = node.descriptor
      judgeName(name, { ...placeOf(node.descriptor, scene), text: name }, scene, host)
    }
    if (input && (node.descriptor?.type !== 'FileDescriptor' || node.descriptor.value === 0)) stdin = input
  }
  return stdin
}

/** What a command can read from it; undefined when it is for writing. */
function readRedirect(node: Redirection, scene: Scene, host: Judge & WordHost): Stdin | undefined {
  if (node.type === 'HereDoc') {
    const text = readParts(node.body.parts, node.body.text, placeOf(node.body, scene), scene, host)
    return { from: text.runs, text }
  }
  const words = node.target ? readWord(node.target, scene, host) : []
  const [target] = words
  if (!target) {
    host.add('needs_review', 'unparsed', { ...placeOf(node, scene), text: node.operator })
    return undefined
  }
  if (node.type === 'HereString') {
    const runs = words.flatMap((word) => word.runs)
    return { from: runs, text: { ...target, value: words.map(({ value }) => value).join(' '), runs } }
  }
  judgeTarget(node.operator, target, host)
  return node.operator === '<' ? { from: target.runs, text: undefined } : undefined
}

function judgeTarget(operator: string, target: Arg, host: Judge): void {
  if (operator.endsWith('&') && /^(\d+-?|-)$/.test(target.value)) return // another descriptor
  if (operator === '<' || operator === '<&') readFrom(target, host)
  else host.write(target)
}

function readFrom(target: Arg, host: Judge): void {
  host.path(target, 'read')
  if (/^\/dev\/(tcp|udp)\//.test(target.value)) host.add('dangerous', 'remote_access', target)
  if (!target.exact && target.runs.length === 0 && target.mayBeOption) host.add('needs_review', 'unparsed', target) // it may be /dev/tcp
}
