/**
 * A policy learnt from what was recorded: the tools that were called, with the arguments that they were called with.
 *
 * Least privilege, as far as the record goes: every pattern is the narrowest of its kind that lets all seen calls pass,
 * and says in a comment what it was made from. It starts in monitor mode: whoever has read it enforces it. What was
 * denied is not learnt. Source: issue "Policy tools".
 * @module
 */
import { stringify } from 'yaml'
import { toText } from '../arguments.ts'
import { DEFAULTS } from '../gate/methods.ts'
import { normalizeName } from '../names.ts'
import { isToolGlob } from '../tool-globs.ts'
import { createCallReader, isRedacted, type RecordedEntry } from './recorded.ts'

interface SeenArgument {
  calls: number
  redacted: boolean
  isText: boolean
  /** At most `MANY` + 1. */
  readonly values: Set<string>
}

interface SeenTool {
  calls: number
  first: number
  last: number
  denied: number
  readonly args: Map<string, SeenArgument>
}

export interface Learner {
  /** In the order of the ledger. */
  take(entry: RecordedEntry): void
  /** YAML of an AgentPolicy. @param about one line for its head */
  format(name: string, about: string): string
  readonly calls: number
}

const MANY = 200
const FEW = 5
const MAX_TOOLS = 10_000
const MAX_NAME = 256
const MAX_METHODS = 200
const METHOD = /^[\w$./-]{1,256}$/
const LISTS: Readonly<Record<string, readonly string[]>> = {
  'resources/': ['resources/list', 'resources/templates/list'],
  'prompts/': ['prompts/list'],
}
const MAX_PATTERN = 1000
const ANYTHING = '(?s:.*)'

export function createLearner(): Learner {
  const tools = new Map<string, SeenTool>()
  const methods = new Set<string>()
  const read = createCallReader()
  let calls = 0
  return {
    get calls() {
      return calls
    },
    take(entry) {
      const call = read(entry)
      if (call?.kind === 'method' && call.decision === 'allow' && METHOD.test(call.name) && methods.size < MAX_METHODS)
        methods.add(call.name)
      const name = call?.kind === 'tool' ? normalizeName(call.name, 'strict') : ''
      if (!call || name === '' || isToolGlob(name) || name.length > MAX_NAME) return // no policy can name it
      if (tools.size >= MAX_TOOLS && !tools.has(name)) return
      const seen = tools.get(name) ?? { calls: 0, first: call.seq, last: call.seq, denied: 0, args: new Map() }
      tools.set(name, seen)
      if (call.decision === 'deny') seen.denied++
      else {
        calls++
        learnCall(seen, call.seq, call.input)
      }
    },
    format: (name, about) => formatPolicy(tools, methods, name, about),
  }
}

function learnCall(seen: SeenTool, seq: number, input: unknown): void {
  if (seen.calls++ === 0) seen.first = seq
  seen.last = seq
  if (typeof input !== 'object' || input === null) return
  for (const [name, value] of Object.entries(input)) {
    const arg = seen.args.get(name) ?? { calls: 0, redacted: false, isText: true, values: new Set() }
    seen.args.set(name, arg)
    arg.calls++
    arg.redacted ||= isRedacted(value)
    arg.isText &&= typeof value !== 'object' || value === null
    if (arg.isText && arg.values.size <= MANY) arg.values.add(toText(value, 'strict'))
  }
}

function formatPolicy(tools: ReadonlyMap<string, SeenTool>, methods: ReadonlySet<string>, name: string, about: string): string {
  const sorted = [...tools].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const learnt = sorted.filter(([, { calls }]) => calls > 0)
  const lines = [
    `# ${comment(about)}`,
    '# Learnt from what happened, not from what should: read every rule, then set mode to enforce.',
    'apiVersion: aip.io/v1alpha1',
    'kind: AgentPolicy',
    `metadata: {name: ${quote(name)}}`,
    'spec:',
    '  mode: monitor # what is not allowed below is recorded as a violation, and let through',
    ...formatMethods(methods),
    learnt.length > 0 ? '  tool_rules:' : '  tool_rules: []',
    ...learnt.flatMap(([tool, seen]) => formatRule(tool, seen)),
    ...sorted.flatMap(([tool, { denied }]) => (denied > 0 ? [`  # not learnt: ${comment(tool)} was denied ${denied} times`] : [])),
  ]
  return `${lines.join('\n')}\n`
}

/** Methods are enforced in monitor mode too. Those that only list are not recorded: they go with what they list. */
function formatMethods(seen: ReadonlySet<string>): readonly string[] {
  const further = [...seen].filter((method) => !DEFAULTS.strict.has(method)).toSorted()
  if (further.length === 0) return []
  const lists = Object.entries(LISTS).flatMap(([prefix, names]) => (further.some((method) => method.startsWith(prefix)) ? names : []))
  const all = [...DEFAULTS.strict, ...new Set([...lists, ...further])]
  return [
    `  # seen besides the default methods: ${further.join(', ')}`,
    '  allowed_methods:',
    ...all.map((method) => `    - ${quote(method)}`),
  ]
}

function formatRule(tool: string, { calls, first, last, args }: SeenTool): readonly string[] {
  const isAlways = ([name, arg]: readonly [string, SeenArgument]) => arg.calls === calls && canName(name)
  const always = [...args].filter(isAlways)
  const sometimes = [...args].filter((arg) => !isAlways(arg)).map(([name]) => name)
  const head = [`    # ${calls} calls, seq ${first} to ${last}`, `    - tool: ${quote(tool)}`]
  const open = sometimes.length > 0 ? [`      # other arguments pass, because some calls had them: ${comment(sometimes.join(', '))}`] : []
  const closed = sometimes.length === 0 ? ['      strict_args: true # no argument that was not seen'] : []
  if (always.length === 0) return [...head, ...open, ...(args.size === 0 ? closed : [])]
  const patterns = always.map(([name, arg]) => {
    const [pattern, why] = patternOf(arg)
    return `        ${quote(name)}: ${quote(pattern)} # ${why}`
  })
  return [...head, ...open, ...closed, '      allow_args:', ...patterns]
}

/** The narrowest that is sure to match what was seen, and what it was made from. */
function patternOf({ redacted, isText, values }: SeenArgument): readonly [pattern: string, why: string] {
  if (redacted) return [ANYTHING, 'anything: values were redacted']
  if (!isText) return [ANYTHING, 'anything: lists and objects were seen']
  const seen = [...values]
  const folder = folderOf(seen)
  const folded = folder && `${literal(folder)}(?:/[^/.][^/]*)+`
  if (seen.length > 1 && folded && folded.length <= MAX_PATTERN && seen.every((value) => isBelow(value, folder)))
    return [folded, `${countOf(seen)} paths, no hidden names`]
  const listed = seen.map(literal).join('|')
  if (seen.length <= FEW && listed.length <= MAX_PATTERN) return [listed, `exactly what was seen`]
  if (seen.every((value) => /^-?\d+(?:\.\d+)?$/.test(value))) return ['-?[0-9]+([.][0-9]+)?', `${countOf(seen)} numbers`]
  return [ANYTHING, `anything: ${countOf(seen)} values were seen`]
}

/** A policy cannot have every key. */
const canName = (arg: string) => arg.length <= MAX_NAME && arg !== '__proto__' && arg !== '<<'
const countOf = ({ length }: readonly string[]) => (length > MANY ? `more than ${MANY}` : `${length}`)
const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** The longest directory, below the root, that all absolute paths share. */
function folderOf(paths: readonly string[]): string | undefined {
  if (!paths.every((path) => /^\/[^\0]+$/.test(path))) return undefined
  const [first = [], ...rest] = paths.map((path) => path.split('/').slice(0, -1))
  const shared = first.findIndex((part, n) => rest.some((parts) => parts[n] !== part))
  const folder = first.slice(0, shared < 0 ? undefined : shared).join('/')
  return folder === '' ? undefined : folder
}

const isBelow = (path: string, folder: string) => /^(?:\/[^/.][^/]*)+$/.test(path.slice(folder.length))
/** On one line of YAML, whatever it holds. */
const quote = (text: string) => stringify(text, { defaultStringType: 'QUOTE_DOUBLE', lineWidth: 0 }).trimEnd()
const comment = (text: string) =>
  JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 500)
