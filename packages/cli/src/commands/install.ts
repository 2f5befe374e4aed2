/**
 * `sworn install|uninstall`: the proxy in front of the stdio servers of an MCP client, or hooks in a coding agent.
 *
 * Shows the difference first and asks; the original is saved before the file is touched, and comes back
 * byte for byte as long as nobody edited the file in between.
 * @module
 */
import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { SwornError } from '@sworn/verify'
import { AGENTS, type AgentSetup, findAgentSetup, SCOPES, type Scope } from '../agents/setups.ts'
import { agree } from '../clients/agree.ts'
import { launcher } from '../clients/launcher.ts'
import {
  checkUnchanged,
  findOriginal,
  forgetOriginal,
  hashBytes,
  readBytes,
  replaceFile,
  restoreOriginal,
  saveOriginal,
  toText,
} from '../clients/originals.ts'
import { CLIENTS, type Client, clientFiles } from '../clients/places.ts'
import { type Rewritten, unwrapServers, wrapServers } from '../clients/wrap.ts'
import { defineCommand, type ExitCode, type Flags } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { loadFor, stateDirectory } from '../reading/location.ts'
import { escapeText } from '../text/escape.ts'

const COMMON = {
  client: { type: 'string', choices: CLIENTS, about: 'with mcp-client: whose configuration, instead of FILE' },
  scope: { type: 'string', choices: SCOPES, about: 'of a coding agent: this user (default), this project, or everybody here' },
  yes: { type: 'boolean', short: 'y', about: 'do not ask' },
} as const satisfies Flags
const WHAT = `mcp-client or one of ${AGENTS.join(', ')}`
const NOTES = [`WHAT is ${WHAT}. FILE is the client's configuration, where it is not in its usual place.`]

export const install = defineCommand({
  args: 'WHAT [FILE]',
  maxArgs: 2,
  flags: {
    ...COMMON,
    policy: { type: 'string', value: 'FILE', about: 'the AgentPolicy for it' },
    'policy-key': { type: 'string', value: 'VKEY_OR_PEM', multiple: true, about: 'who may sign that policy, which must then be signed' },
    roles: { type: 'string', value: 'FILE', about: 'users, roles and budgets for it' },
    'audit-log': { type: 'string', value: 'PATH', about: 'the ledger for it' },
    server: { type: 'string', value: 'URL', about: 'of claude-code: a `sworn serve` that answers its hooks, e.g. http://127.0.0.1:7710' },
  },
  example: 'sworn install claude-code --policy agent.yaml',
  notes: NOTES,
  async run([what, file], flags, io) {
    const setup = findSetup(what)
    const passed = await passedFlags(flags, io, setup !== undefined && flags.scope === 'project')
    if (!setup && flags.server !== undefined) throw new SwornError('USAGE', 'a coding agent was expected', '--server')
    if (!setup) return await installProxies(file, flags, passed, io)
    const { installAgent } = await import('../agents/install.ts')
    const namesLedger = flags['audit-log'] !== undefined
    return await installAgent(setup, { scope: scopeOf(flags), file, flags: passed, namesLedger, yes: flags.yes, server: flags.server }, io)
  },
})

export const uninstall = defineCommand({
  args: 'WHAT [FILE]',
  maxArgs: 2,
  flags: COMMON,
  example: 'sworn uninstall mcp-client --client cursor',
  notes: NOTES,
  async run([what, file], flags, io) {
    const setup = findSetup(what)
    if (!setup) return await uninstallProxies(file, flags, io)
    const { uninstallAgent } = await import('../agents/install.ts')
    return await uninstallAgent(setup, { scope: scopeOf(flags), file, yes: flags.yes }, io)
  },
})

/** undefined: MCP clients. @throws SwornError USAGE */
function findSetup(what: string | undefined): AgentSetup | undefined {
  const setup = what === undefined ? undefined : findAgentSetup(what)
  if (setup === undefined && what !== 'mcp-client') throw new SwornError('USAGE', `${WHAT} was expected`)
  return setup
}

function scopeOf({ scope }: { readonly scope?: string | undefined }): Scope {
  return (scope ?? 'user') as Scope // one of the choices
}

interface ClientFlags {
  readonly client?: string | undefined
  readonly yes: boolean
}

async function installProxies(file: string | undefined, flags: ClientFlags, passed: readonly string[], io: Io): Promise<ExitCode> {
  const path = findFile(file, flags.client, io)
  const original = readBytes(path)
  const next = wrapServers(toText(original, path), path, launcher(io.self), passed)
  if (!(await agreeOn(path, toText(original, path), next, flags.yes, io))) return next.changed.length === 0 ? 0 : 1
  const state = stateDirectory(io)
  const isWrapped = unwrapServers(toText(original, path), path).changed.length > 0
  if (isWrapped && findOriginal(state, path))
    throw new SwornError('USAGE', 'the file was wrapped before and edited since; run `sworn uninstall mcp-client` first', path)
  checkUnchanged(path, original)
  saveOriginal(state, path, original, next.text)
  replaceFile(path, next.text)
  await io.out(escapeText(`wrapped ${next.changed.join(', ')} in ${path}; restart the client`))
  return 0
}

async function uninstallProxies(file: string | undefined, flags: ClientFlags, io: Io): Promise<ExitCode> {
  const path = findFile(file, flags.client, io)
  const state = stateDirectory(io)
  const saved = findOriginal(state, path)
  const current = readBytes(path)
  if (saved && hashBytes(current) === saved.wrappedHash) {
    restoreOriginal(path, saved)
    forgetOriginal(state, path)
    await io.out(escapeText(`restored ${path} byte for byte`))
    return 0
  }
  return await unwrapEdited(path, current, flags.yes, io)
}

type PassedFlags = { readonly [name in 'policy' | 'roles' | 'audit-log']?: string | undefined } & {
  readonly 'policy-key': readonly string[]
}

/** As whoever is started later will read them, from wherever that is; what a project shares is relative to it. */
async function passedFlags(flags: PassedFlags, io: Io, isShared: boolean): Promise<readonly string[]> {
  const files = (['policy', 'roles', 'audit-log'] as const).flatMap((name) => {
    const value = flags[name]
    return value === undefined ? [] : [`--${name}`, isShared ? value : resolve(io.cwd, value)]
  })
  return [...files, ...(await policyKeys(flags['policy-key'], io)).flatMap((key) => ['--policy-key', key])]
}

/** @throws SwornError KEY_INVALID for one that is none */
async function policyKeys(given: readonly string[], io: Io): Promise<readonly string[]> {
  if (given.length === 0) return []
  const { policy_keys: keys = [] } = (await loadFor(io, { policy_keys: [...given] })).values
  const { planPolicyKeys } = await import('../policy/keys.ts')
  planPolicyKeys(keys).open()
  return keys
}

/** The file was edited after it was wrapped: only our part is taken out. */
async function unwrapEdited(path: string, current: Buffer, yes: boolean, io: Io): Promise<ExitCode> {
  const text = toText(current, path)
  const next = unwrapServers(text, path)
  if (!(await agreeOn(path, text, next, yes, io))) return next.changed.length === 0 ? 0 : 1
  checkUnchanged(path, current)
  replaceFile(path, next.text)
  forgetOriginal(stateDirectory(io), path)
  await io.out(
    escapeText(`unwrapped ${next.changed.join(', ')} in ${path}; it was edited since it was wrapped, so the rest stays as it is`),
  )
  return 0
}

/** Shows what would change and asks; false when nothing is to be done. */
async function agreeOn(path: string, before: string, next: Rewritten, yes: boolean, io: Io): Promise<boolean> {
  for (const { name, why } of next.skipped) io.say('warn', `${name} ${why}`)
  if (next.changed.length > 0) return await agree(path, before, next.text, yes, io)
  io.say('info', `nothing to change in ${path}`)
  return false
}

function findFile(file: string | undefined, client: string | undefined, io: Io): string {
  if (file !== undefined) return existing(resolve(io.cwd, file))
  const clients = client === undefined ? CLIENTS : [client as Client] // one of the choices
  const found = clients.flatMap((c) => clientFiles(c, io)).filter((path) => existsSync(path))
  if (found.length === 1 || (client !== undefined && found.length > 0)) return realpathSync(found[0]!)
  const message =
    found.length === 0
      ? 'no configuration was found; name the file'
      : `${found.length} configurations were found; name one with --client or as FILE`
  throw new SwornError('USAGE', message, clients.join(', '))
}

function existing(path: string): string {
  if (!existsSync(path)) throw new SwornError('IO_FAILED', 'the file does not exist', path)
  return realpathSync(path)
}
