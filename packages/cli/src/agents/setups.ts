/**
 * Where coding agents keep their hooks, and what one hook of ours looks like there.
 *
 * Source: the clients' documentation. A hook that decides is marked so that its failure refuses the call, where the client
 * has a word for that.
 * @module
 */
import { realpathSync } from 'node:fs'
import { join, posix, win32 } from 'node:path'
import { findHookClient, type HookClient, type HookKind } from '@sworn/proxy/hooks'
import { readTextFile } from '@sworn/recorder'
import { parseJsonc } from '../clients/jsonc.ts'
import type { Io } from '../frame/io.ts'
import { CODEX_END_S, type CodexHook, codexHook, readCodexTrust } from './codex-trust.ts'
import { type Command, quote } from './command-line.ts'
import { type EntryForm, entriesOf, type HookForm, pluginOf } from './forms.ts'
import { markOf } from './mark.ts'
import type { PluginName } from './plugin.ts'

export const SCOPES = ['user', 'project', 'managed'] as const
export type Scope = (typeof SCOPES)[number]
type Where = Pick<Io, 'platform' | 'env' | 'homeDirectory' | 'cwd'>

interface Place {
  /** The client's own folder of this user: it is there when the client was used. */
  home(where: Where): string
  /** Of each scope that the client has, as far as we can write it. */
  files(where: Where): Partial<Record<Scope, string>>
  /** Why a scope that the client has cannot be written. */
  readonly unwritten?: Partial<Record<Scope, string>>
  /** What has to be done besides. */
  readonly hint?: string
  /** Events of ours in a file that the client does not run yet: its user has to trust them. Absent: it runs what is there. */
  untrusted?(file: string, text: string, where: Where): readonly string[]
}

export interface AgentSetup extends Place {
  readonly client: HookClient
  readonly form: HookForm
  /** The client asks over HTTP where it is told to. */
  readonly speaksHttp: boolean
}

const TIMEOUT_S = 60

/** For clients to which exit code 2 is a refusal. */
const refusing = (command: Command, kind: HookKind) => (kind === 'before' ? command.orElse('exit 2') : command.sh)

const claudeCode: Place & EntryForm = {
  home: ({ env, homeDirectory }) => env.CLAUDE_CONFIG_DIR || join(homeDirectory, '.claude'),
  files: (where) => ({
    user: join(claudeCode.home(where), 'settings.json'),
    project: join(where.cwd, '.claude', 'settings.json'),
    managed: managed(where, '/etc/claude-code', 'ClaudeCode', 'managed-settings.json'),
  }),
  head: {},
  entry: (command, kind) => ({
    hooks: [{ type: 'command', command: refusing(command, kind), timeout: TIMEOUT_S, ...(kind === 'before' && { onFailure: 'block' }) }],
  }),
  /** It does not ask over HTTP when a session begins. */
  httpEntry: (request, kind) =>
    kind === 'session_start'
      ? undefined
      : { hooks: [{ type: 'http', ...request, timeout: TIMEOUT_S, ...(kind === 'before' && { onFailure: 'block' }) }] },
}

const codex: Place & EntryForm = {
  home: ({ env, homeDirectory }) => env.CODEX_HOME || join(homeDirectory, '.codex'),
  files: (where) => ({ user: join(codex.home(where), 'hooks.json'), project: join(where.cwd, '.codex', 'hooks.json') }),
  head: {},
  entry: (command, kind) => ({
    hooks: [{ type: 'command', command: refusing(command, kind), timeout: kind === 'session_end' ? CODEX_END_S : TIMEOUT_S }],
  }),
  unwritten: {
    managed:
      'Codex takes managed hooks from the table `hooks` of /etc/codex/requirements.toml, whose form was never seen to work here, and sworn writes hooks as JSON only',
  },
  hint: 'open `/hooks` in Codex and trust them: until then Codex skips them',
  untrusted(file, text, where) {
    const root = parseJsonc(text, file)
    const trusted = readCodexTrust(readTextFile(join(codex.home(where), 'config.toml')) ?? '')
    const isTrusted = (hook: CodexHook | undefined) => hook === undefined || trusted.get(hook.key) === hook.hash
    const names = [file, realpathSync(file)] // Codex follows links in CODEX_HOME, and not in the home
    return Object.keys(findHookClient('codex')?.events ?? {}).filter(
      (event) => !names.some((name) => isTrusted(codexHook(root, name, event, markOf('codex', event)))),
    )
  },
}

const gemini: Place & EntryForm = {
  home: ({ homeDirectory }) => join(homeDirectory, '.gemini'),
  files: (where) => ({
    user: join(gemini.home(where), 'settings.json'),
    project: join(where.cwd, '.gemini', 'settings.json'),
    managed: where.env.GEMINI_CLI_SYSTEM_SETTINGS_PATH || managed(where, '/etc/gemini-cli', 'GeminiCli', 'settings.json'),
  }),
  head: {},
  entry: (command, kind) => ({
    hooks: [{ name: 'sworn', type: 'command', command: refusing(command, kind), timeout: TIMEOUT_S * 1000 }],
  }),
}

/** No exit code refuses there, only an answer. */
const SILENT = { permissionDecision: 'deny', permissionDecisionReason: 'sworn did not answer, so the call was refused' }

const copilot: Place & EntryForm = {
  home: ({ homeDirectory }) => join(homeDirectory, '.copilot'),
  files: (where) => ({
    user: join(copilot.home(where), 'hooks', 'sworn.json'),
    project: join(where.cwd, '.github', 'hooks', 'sworn.json'),
  }),
  head: { version: 1 },
  entry: ({ sh, powershell, orElse }, kind) => ({
    type: 'command',
    bash: kind === 'before' ? orElse(`echo ${quote(JSON.stringify(SILENT))}`) : sh,
    powershell,
    timeoutSec: TIMEOUT_S,
  }),
}

/** Without a time of ours: its documentation and its users do not agree whether seconds or milliseconds are meant. */
const cursor: Place & EntryForm = {
  home: ({ homeDirectory }) => join(homeDirectory, '.cursor'),
  files: (where) => ({
    user: join(cursor.home(where), 'hooks.json'),
    project: join(where.cwd, '.cursor', 'hooks.json'),
    managed: managed(where, '/etc/cursor', 'Cursor', 'hooks.json'),
  }),
  head: { version: 1 },
  entry: ({ sh }, kind) => ({ command: sh, ...(kind === 'before' && { failClosed: true }) }),
}

const opencode: Place = {
  home: ({ env, homeDirectory }) => env.OPENCODE_CONFIG_DIR || join(env.XDG_CONFIG_HOME || join(homeDirectory, '.config'), 'opencode'),
  files: (where) => ({
    user: join(opencode.home(where), 'plugins', 'sworn.js'),
    project: join(where.cwd, '.opencode', 'plugins', 'sworn.js'),
  }),
}

const pi: Place = {
  home: ({ env, homeDirectory }) => env.PI_CODING_AGENT_DIR || join(homeDirectory, '.pi', 'agent'),
  files: (where) => ({
    user: join(pi.home(where), 'extensions', 'sworn.ts'),
    project: join(where.cwd, '.pi', 'extensions', 'sworn.ts'),
  }),
}

/** The administrator's file, as each system keeps it. */
function managed({ platform, env }: Where, linux: string, product: string, file: string): string {
  if (platform === 'win32') return win32.join(env.ProgramData ?? 'C:\\ProgramData', product, file)
  if (platform === 'darwin') return posix.join('/Library/Application Support', product, file)
  return posix.join(linux, file)
}

const ENTRIES: Readonly<Record<string, Place & EntryForm>> = { 'claude-code': claudeCode, codex, gemini, copilot, cursor }
const PLUGINS: Readonly<Record<PluginName, Place>> = { opencode, pi }
export const AGENTS: readonly string[] = [...Object.keys(ENTRIES), ...Object.keys(PLUGINS)]

export function findAgentSetup(name: string): AgentSetup | undefined {
  const client = findHookClient(name)
  if (client === undefined) return undefined
  if (Object.hasOwn(ENTRIES, name)) return { client, ...ENTRIES[name]!, ...formOf(client, ENTRIES[name]!) }
  const plugin = name as PluginName // what is no entry is a plugin
  return Object.hasOwn(PLUGINS, name) ? { client, ...PLUGINS[plugin], form: pluginOf(client, plugin), speaksHttp: false } : undefined
}

function formOf(client: HookClient, form: EntryForm): Pick<AgentSetup, 'form' | 'speaksHttp'> {
  return { form: entriesOf(client, form), speaksHttp: form.httpEntry !== undefined }
}
