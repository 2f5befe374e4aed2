/**
 * `sworn install|uninstall mcp-client`: puts the proxy in front of the stdio servers of an MCP client.
 *
 * Shows the difference first and asks; the original is saved before the file is touched, and comes back
 * byte for byte as long as nobody edited the file in between.
 * @module
 */
import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { SwornError } from '@sworn/verify'
import { findOriginal, forgetOriginal, hashBytes, readBytes, replaceFile, saveOriginal } from '../clients/originals.ts'
import { CLIENTS, type Client, clientFiles } from '../clients/places.ts'
import { type Rewritten, unwrapServers, wrapServers } from '../clients/wrap.ts'
import { defineCommand, type ExitCode, type Flags } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { VERSION } from '../frame/version.ts'
import { stateDirectory } from '../reading/location.ts'
import { formatDiff } from '../text/diff.ts'
import { escapeText } from '../text/escape.ts'

const COMMON = {
  client: { type: 'string', choices: CLIENTS, about: 'whose configuration, instead of FILE' },
  yes: { type: 'boolean', short: 'y', about: 'do not ask' },
} as const satisfies Flags

export const install = defineCommand({
  args: 'mcp-client [FILE]',
  maxArgs: 2,
  flags: {
    ...COMMON,
    policy: { type: 'string', value: 'FILE', about: 'the AgentPolicy for these servers' },
    'audit-log': { type: 'string', value: 'PATH', about: 'the ledger for these servers' },
  },
  example: 'sworn install mcp-client --client cursor --policy agent.yaml',
  async run([what, file], flags, io) {
    const path = findFile(what, file, flags.client, io)
    const original = readBytes(path)
    const passed = (['policy', 'audit-log'] as const).flatMap((name) => {
      const value = flags[name]
      return value === undefined ? [] : [`--${name}`, resolve(io.cwd, value)]
    })
    const next = wrapServers(original.toString('utf8'), path, launcher(io.self), passed)
    if (!(await agree(path, original.toString('utf8'), next, flags.yes, io))) return next.changed.length === 0 ? 0 : 1
    const state = stateDirectory(io)
    const known = findOriginal(state, path)
    if (known) throw new SwornError('USAGE', 'the file was wrapped before and edited since; run `sworn uninstall mcp-client` first', path)
    saveOriginal(state, path, original, next.text)
    replaceFile(path, next.text)
    await io.out(escapeText(`wrapped ${next.changed.join(', ')} in ${path}; restart the client`))
    return 0
  },
})

export const uninstall = defineCommand({
  args: 'mcp-client [FILE]',
  maxArgs: 2,
  flags: COMMON,
  example: 'sworn uninstall mcp-client --client cursor',
  async run([what, file], flags, io) {
    const path = findFile(what, file, flags.client, io)
    const state = stateDirectory(io)
    const saved = findOriginal(state, path)
    const current = readBytes(path)
    if (saved && hashBytes(current) === saved.wrappedHash) {
      replaceFile(path, saved.bytes)
      forgetOriginal(state, path)
      await io.out(escapeText(`restored ${path} byte for byte`))
      return 0
    }
    return await unwrapEdited(path, current.toString('utf8'), flags.yes, io)
  },
})

/** The file was edited after it was wrapped: only our part is taken out. */
async function unwrapEdited(path: string, current: string, yes: boolean, io: Io): Promise<ExitCode> {
  const next = unwrapServers(current, path)
  if (!(await agree(path, current, next, yes, io))) return next.changed.length === 0 ? 0 : 1
  replaceFile(path, next.text)
  forgetOriginal(stateDirectory(io), path)
  await io.out(
    escapeText(`unwrapped ${next.changed.join(', ')} in ${path}; it was edited since it was wrapped, so the rest stays as it is`),
  )
  return 0
}

/** Shows what would change and asks; false when nothing is to be done. */
async function agree(path: string, before: string, next: Rewritten, yes: boolean, io: Io): Promise<boolean> {
  for (const { name, why } of next.skipped) io.say('warn', `${name} ${why}`)
  if (next.changed.length === 0) {
    io.say('info', `nothing to change in ${path}`)
    return false
  }
  for (const line of formatDiff(before, next.text)) await io.out(escapeText(line))
  if (yes) return true
  if (io.canAsk) return await io.confirm(`Write this to ${escapeText(path)}?`)
  throw new SwornError('USAGE', 'nobody can be asked here; pass --yes to write this', path)
}

function findFile(what: string | undefined, file: string | undefined, client: string | undefined, io: Io): string {
  if (what !== 'mcp-client') throw new SwornError('USAGE', 'mcp-client was expected; no other client can be installed in this version')
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

/** What starts sworn again later: a copy in npx's cache may be gone by then. */
function launcher(self: readonly string[]): readonly string[] {
  return self.some((part) => part.includes('_npx')) ? ['npx', '-y', `sworn@${VERSION}`] : self
}
