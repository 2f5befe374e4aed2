/**
 * Which calls run a shell command, and its text.
 *
 * By the last word of the tool's name (`mcp__server__bash` is `bash`) and the argument's name; a configuration adds to
 * both tables. Arguments given as a list are quoted, so that they are read as they would be run. Hostile input.
 * @module
 */
import { asText } from '@sworn/recorder'
import { findLeaves } from '../paths/leaves.ts'

export interface CommandCall {
  /** Empty when the tool runs commands and none was found: that is for a person to look at. */
  readonly text: string
  /** JSON Pointers of the arguments that are judged here. */
  readonly pointers: ReadonlySet<string>
  /** What the other arguments say: one of them may be the folder that the command runs in. */
  readonly folders: readonly string[]
}

const TOOLS = new Set(
  (
    'bash sh zsh shell terminal exec exec_command execute_command execute_bash execute_shell run_command run_bash run_shell ' +
    'run_shell_command run_terminal_cmd run_terminal_command run_in_terminal shell_exec shell_command local_shell bash_command ' +
    'system_run command start_process write_stdin'
  ).split(' '),
)
const ARGUMENTS = ['command', 'cmd', 'commands', 'script', 'shell_command', 'command_line', 'commandline', 'chars', 'executable', 'program']
const MAX_FOLDER = 4096
const MAX_FOLDERS = 64
const FURTHER = ['args', 'argv', 'arguments']

/** @param tool the normalised name */
export function findCommand(tool: string, input: unknown, further: ReadonlyMap<string, readonly string[]>): CommandCall | undefined {
  const own = further.get(tool)
  if (!own && !TOOLS.has(lastWord(tool))) return undefined
  const members = typeof input === 'object' && input !== null && !Array.isArray(input) ? Object.entries(input) : []
  const isNamed = (names: readonly string[]) => members.filter(([key]) => names.includes(key.toLowerCase()) || names.includes(key))
  const heads = isNamed(own ?? ARGUMENTS)
  const tails = isNamed(FURTHER).filter((member) => !heads.includes(member))
  const found = [...heads, ...tails].map(([key, value]) => ({
    key,
    texts: textsOf(
      value,
      tails.some(([tail]) => tail === key),
    ),
  }))
  const pointers = found.flatMap(({ key, texts }) => [pointerTo(key), ...texts.map((_, i) => `${pointerTo(key)}/${i}`)])
  const [first, ...rest] = found.slice(0, heads.length)
  const tail = found.slice(heads.length).flatMap(({ texts }) => texts)
  const text = [[...(first?.texts ?? []), ...tail].join(' '), ...rest.map(({ texts }) => texts.join(' '))].join('\n').trim()
  const others = members.filter(([key]) => !found.some((one) => one.key === key))
  return { text, pointers: new Set(pointers), folders: findFolders(Object.fromEntries(others)) }
}

/** @throws RangeError beyond 64: nobody may hide one */
function findFolders(input: object): string[] {
  const texts = [...findLeaves(input)].flatMap(({ text, isKey }) =>
    isKey || text.length > MAX_FOLDER || text.includes('\n') ? [] : [text],
  )
  const folders = [...new Set(texts)]
  if (folders.length > MAX_FOLDERS) throw new RangeError('too many folders that a command may run in')
  return folders
}

function lastWord(tool: string): string {
  return tool.split(/__|[.:/]/).at(-1) ?? tool
}

function pointerTo(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** A list is words that no shell splits; a text by itself is for the shell. */
function textsOf(value: unknown, isWord: boolean): string[] {
  if (typeof value === 'string') return [isWord ? quote(value) : value]
  if (!Array.isArray(value)) return []
  return value.map((word) => quote(asText(word)))
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
