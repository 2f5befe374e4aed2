/**
 * Writes the hooks of a coding agent into its own configuration, and takes them out.
 *
 * The difference is shown first; the original is saved before the file is touched, and comes back byte for byte as long as
 * nobody edited the file in between. After that exactly our entries are taken out.
 * @module
 */
import { existsSync, lstatSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isLoopback } from '@sworn/recorder/http'
import { openTokenFiles } from '@sworn/server'
import { SwornError } from '@sworn/verify'
import { agree } from '../clients/agree.ts'
import { launcher } from '../clients/launcher.ts'
import {
  checkUnchanged,
  findOriginal,
  forgetOriginal,
  hashBytes,
  type Original,
  readBytes,
  replaceFile,
  restoreOriginal,
  saveOriginal,
  toText,
} from '../clients/originals.ts'
import type { ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { loadFor, stateDirectory } from '../reading/location.ts'
import { escapeText } from '../text/escape.ts'
import type { HookServer, Launch } from './forms.ts'
import { type AgentSetup, SCOPES, type Scope } from './setups.ts'

export interface AgentWish {
  readonly scope: Scope
  /** Instead of the scope's own file. */
  readonly file?: string | undefined
  /** For each hook, as `sworn hook` takes them. */
  readonly flags: readonly string[]
  /** A ledger is among the flags. */
  readonly namesLedger: boolean
  readonly yes: boolean
  /** `http://HOST:PORT` of a `sworn serve` that answers the hooks. */
  readonly server?: string | undefined
}

export async function installAgent(setup: AgentSetup, wish: AgentWish, io: Io): Promise<ExitCode> {
  const { client, form, hint = 'sessions that begin from now on are recorded' } = setup
  const server = serverOf(setup, wish, io)
  const path = fileOf(setup, wish, io)
  const original = existsSync(path) ? readBytes(path) : undefined
  const before = original === undefined ? '' : toText(original, path)
  const { text, changed } = form.put(before, path, { ...(await launchOf(wish, io)), ...(server && { server }) })
  if (changed.length === 0) return nothing(path, io)
  if (server && original && (statSync(path).mode & 0o077) !== 0)
    throw new SwornError('USAGE', 'a file that only you can read was expected, for a token stands in it: chmod 600', path)
  const shown = (whole: string) => (server ? whole.replaceAll(server.token, '[TOKEN]') : whole)
  if (!(await agree(path, shown(before), shown(text), wish.yes, io))) return 1
  checkUnchanged(path, original)
  keepOriginal(stateDirectory(io), path, { original, holdsOurs: before.trim() !== '' && form.find(before, path).length > 0 }, text)
  mkdirSync(dirname(path), { recursive: true })
  replaceFile(path, text, wish.scope === 'user' ? 0o600 : 0o644)
  await io.out(escapeText(`${changed.length} hooks of ${client.facts.title} in ${path}; ${hint}`))
  if (wish.scope === 'project') io.say('warn', ON_PATH)
  return 0
}

/** A project's file names no path of a machine. */
const ON_PATH = 'whoever works here needs `sworn` on the PATH (npm install --global sworn): without it calls are refused, not let through'

/** @throws SwornError USAGE where the client does not ask over HTTP, and for what a token must not stand in */
function serverOf({ client, speaksHttp }: AgentSetup, { server, scope }: AgentWish, io: Io): HookServer | undefined {
  if (server === undefined) return undefined
  if (!speaksHttp) throw new SwornError('USAGE', `${client.facts.title} runs hooks as commands only`, '--server')
  if (scope !== 'user') throw new SwornError('USAGE', 'the scope user was expected: a token stands in the file', '--server')
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== 'http:' || !isLoopback(url.hostname) || url.pathname !== '/')
    throw new SwornError('USAGE', 'an address of this machine like http://127.0.0.1:7710 was expected', '--server')
  const token = openTokenFiles(stateDirectory(io)).find(({ may }) => may === 'report')
  return token && { url: url.origin, token: token.token }
}

export async function uninstallAgent(setup: AgentSetup, wish: Omit<AgentWish, 'flags' | 'namesLedger'>, io: Io): Promise<ExitCode> {
  const path = fileOf(setup, wish, io)
  if (!existsSync(path)) return nothing(path, io)
  const state = stateDirectory(io)
  const current = readBytes(path)
  const saved = findOriginal(state, path)
  if (saved && hashBytes(current) === saved.wrappedHash) {
    restoreOriginal(path, saved)
    forgetOriginal(state, path)
    await io.out(escapeText(saved.bytes ? `restored ${path} byte for byte` : `removed ${path}, which was not there before`))
    return 0
  }
  const before = toText(current, path)
  const { text, changed } = setup.form.take(before, path)
  if (changed.length === 0) return nothing(path, io)
  if (!(await agree(path, before, text, wish.yes, io))) return 1
  checkUnchanged(path, current)
  if (text === '') rmSync(path)
  else replaceFile(path, text)
  forgetOriginal(state, path)
  await io.out(escapeText(`took ${changed.length} hooks out of ${path}; it was edited since, so the rest stays as it is`))
  return 0
}

function nothing(path: string, io: Io): ExitCode {
  io.say('info', `nothing to change in ${path}`)
  return 0
}

/** @throws SwornError USAGE for a scope that the client has not; IO_FAILED for a link that leads nowhere, which would be replaced */
function fileOf({ client, files, unwritten = {} }: AgentSetup, { scope, file }: Pick<AgentWish, 'scope' | 'file'>, io: Io): string {
  const found = files(io)
  const path = file === undefined ? found[scope] : resolve(io.cwd, file)
  if (path === undefined) {
    const scopes = SCOPES.filter((one) => found[one] !== undefined).join(', ')
    throw new SwornError(
      'USAGE',
      `${unwritten[scope] ?? `${client.facts.title} has no file that can be written for the scope ${scope}`}; it has ${scopes}`,
      '--scope',
    )
  }
  if (existsSync(path)) return realpathSync(path)
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return path
  throw new SwornError('IO_FAILED', 'a link to a file that is there was expected', path)
}

/** A project's file is shared: it names `sworn` by its name, and no path of this machine. */
async function launchOf(wish: AgentWish, io: Io): Promise<Launch> {
  if (wish.scope === 'project') return { start: ['sworn'], flags: wish.flags, platform: io.platform }
  const flags = wish.namesLedger ? wish.flags : [...wish.flags, ...(await ledgerFlag(io))]
  return { start: launcher(io.self), flags, platform: io.platform }
}

/** Hooks run in whatever folder the agent is in: without a ledger of the configuration they share one of this user. */
async function ledgerFlag(io: Io): Promise<readonly string[]> {
  const { values, origins, directories } = await loadFor(io)
  if (values.log_path !== undefined && origins.log_path?.kind !== 'default') return []
  return ['--audit-log', join(directories.state, 'coding-agents')]
}

interface Found {
  /** undefined: there was no file. */
  readonly original: Buffer | undefined
  /** Hooks of ours stood in it. */
  readonly holdsOurs: boolean
}

/** The oldest original counts as long as every change of the file since then was ours; else what holds none of ours is it. */
function keepOriginal(state: string, path: string, { original, holdsOurs }: Found, next: string): void {
  const known: Original | undefined = findOriginal(state, path)
  const isOurs = known !== undefined && original !== undefined && hashBytes(original) === known.wrappedHash
  if (isOurs) saveOriginal(state, path, known.bytes, next)
  else if (original === undefined || !holdsOurs) saveOriginal(state, path, original, next)
  else forgetOriginal(state, path)
}
