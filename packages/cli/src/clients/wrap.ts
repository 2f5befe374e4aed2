/**
 * Puts `sworn proxy` in front of the stdio servers of an MCP client configuration, and takes it away.
 *
 * Edits only the text of `command` and `args`; comments, order and spacing stay. Remote servers (url) are
 * left alone. Servers that are wrapped already are left alone.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { type JsonNode, parseJsonc } from './jsonc.ts'

export interface Rewritten {
  readonly text: string
  /** Names of the servers that were changed. */
  readonly changed: readonly string[]
  /** Names of those that were not, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[]
}

interface Launch {
  readonly command: string
  readonly args: readonly string[]
}
interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** What every wrapped server's args contain, in this order: how one is recognised. */
const MARK = ['proxy', '--installed'] as const

/**
 * Wraps every stdio server.
 * @param prefix what starts `sworn`: `[node, bin]` or `['npx', '-y', 'sworn']`
 * @param flags flags for `sworn proxy`
 * @throws SwornError CONFIG_INVALID when the file is not JSON or holds no servers
 */
export function wrapServers(text: string, name: string, prefix: readonly string[], flags: readonly string[]): Rewritten {
  return rewrite(text, name, (launch) => {
    if (findInner(launch)) return 'is wrapped already'
    const [command = 'sworn', ...before] = prefix
    return { command, args: [...before, ...MARK, ...flags, '--', launch.command, ...launch.args] }
  })
}

/** The inverse, for a file that was edited after it was wrapped. */
export function unwrapServers(text: string, name: string): Rewritten {
  return rewrite(text, name, (launch) => findInner(launch) ?? 'is not wrapped')
}

function findInner(launch: Launch): Launch | undefined {
  const mark = launch.args.findIndex((arg, i) => arg === MARK[0] && launch.args[i + 1] === MARK[1])
  const split = mark < 0 ? -1 : launch.args.indexOf('--', mark)
  const [command, ...args] = split < 0 ? [] : launch.args.slice(split + 1)
  return command === undefined ? undefined : { command, args }
}

function rewrite(text: string, name: string, change: (launch: Launch) => Launch | string): Rewritten {
  const edits: Edit[] = []
  const changed: string[] = []
  const skipped: { name: string; why: string }[] = []
  for (const [server, node] of findServers(text, name)) {
    const launch = toLaunch(node)
    const next = typeof launch === 'string' ? launch : change(launch)
    if (typeof next === 'string') skipped.push({ name: server, why: next })
    else {
      edits.push(...editsFor(node, next))
      changed.push(server)
    }
  }
  return { text: applyEdits(text, edits), changed, skipped }
}

/** `mcpServers` of Claude Desktop and Cursor, `servers` of VS Code. */
function findServers(text: string, name: string): ReadonlyMap<string, JsonNode> {
  const root = parseJsonc(text, name)
  const servers = root.members?.get('mcpServers') ?? root.members?.get('servers')
  if (!servers?.members) throw new SwornError('CONFIG_INVALID', 'an object mcpServers or servers was expected', name)
  return servers.members
}

function toLaunch(node: JsonNode): Launch | string {
  const command = node.members?.get('command')?.value
  const args = node.members?.get('args')?.value ?? []
  if (typeof command !== 'string') return 'is not a stdio server'
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === 'string')) return 'has args that are not a list of texts'
  return { command, args }
}

function editsFor(node: JsonNode, launch: Launch): Edit[] {
  const command = node.members!.get('command')! // toLaunch saw it
  const args = node.members!.get('args')
  const argsText = `[${launch.args.map((arg) => JSON.stringify(arg)).join(', ')}]`
  const commandEdit = { start: command.start, end: command.end, text: JSON.stringify(launch.command) }
  if (args) return [commandEdit, { start: args.start, end: args.end, text: argsText }]
  return [{ ...commandEdit, text: `${commandEdit.text}, "args": ${argsText}` }]
}

function applyEdits(text: string, edits: readonly Edit[]): string {
  const ordered = edits.toSorted((a, b) => b.start - a.start) // from the end, so that offsets stay true
  return ordered.reduce((out, edit) => out.slice(0, edit.start) + edit.text + out.slice(edit.end), text)
}
