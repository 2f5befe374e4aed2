/**
 * `sworn proxy` over HTTP: addresses and secrets from flags and files, and a proxy that runs until a signal.
 *
 * Secrets come from files, never from the command line, where every user of the machine can read them.
 * @module
 */
import { resolve } from 'node:path'
import { extendRelay, type ProxyExit, type RelayOptions } from '@sworn/proxy'
import {
  type Access,
  checkAccess,
  type HttpProxy,
  type ListenAddress,
  openHttpProxy,
  openStdioServer,
  runRemoteProxy,
} from '@sworn/proxy/http'
import { readPrivateFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { type JwtFlags, readIssuer, readNamedFile } from './access-tokens.ts'
import type { Io } from './frame/io.ts'

/** The flags of HTTP as they were given. */
export interface HttpFlags extends JwtFlags {
  readonly url?: string | undefined
  readonly listen?: string | undefined
  readonly 'header-file'?: string | undefined
  readonly 'token-file'?: string | undefined
  readonly 'allow-host'?: readonly string[] | undefined
  readonly 'allow-origin'?: readonly string[] | undefined
  readonly 'tls-cert'?: string | undefined
  readonly 'tls-key'?: string | undefined
  readonly 'client-ca'?: string | undefined
}

/** A file with secrets, which only its owner may read. */
function readSecrets(cwd: string, file: string, flag: string): string {
  const text = readPrivateFile(resolve(cwd, file), { code: 'CONFIG_INVALID', at: flag })
  if (text === undefined) throw new SwornError('IO_FAILED', 'the file does not exist', flag)
  return text
}

function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** @throws SwornError USAGE when it is no http or https address */
export function parseUrl(text: string): URL {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text)
  throw new SwornError('USAGE', 'an http or https address was expected', '--url')
}

/** `host:port`, `[::1]:port`, or a port alone: of this machine only. @throws SwornError USAGE */
export function parseListen(text: string): ListenAddress {
  const found = /^(?:(\[[\da-fA-F:.]+\]|[\w.-]+)?:)?(\d{1,5})$/.exec(text)
  const port = Number(found?.[2])
  if (found === null || port > 65_535) throw new SwornError('USAGE', 'host:port was expected', '--listen')
  return { host: (found[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port }
}

/** `Name: value` lines. @throws SwornError USAGE for a line that is none */
export function parseHeaders(text: string): Record<string, string> {
  return Object.fromEntries(
    linesOf(text).map((line) => {
      const found = /^([\w!#$%&'*+.^`|~-]+):\s*([\x20-\x7e]*)$/.exec(line)
      if (found === null) throw new SwornError('USAGE', 'a line `Name: value` was expected', '--header-file')
      return [found[1]!, found[2]!]
    }),
  )
}

/** One token a line, the user it stands for behind a space. */
function parseTokens(text: string): NonNullable<Access['tokens']> {
  return linesOf(text).map((line) => {
    const [token = '', ...user] = line.split(/\s+/)
    return user.length === 0 ? { token } : { token, user: user.join(' ') }
  })
}

/** Who may come in. @throws SwornError IO_FAILED, USAGE, KEY_INVALID, CONFIG_INVALID for tokens that others can read */
export async function accessOf(flags: HttpFlags, cwd: string): Promise<Access> {
  const tokens = flags['token-file']
  const check = await readIssuer(flags, cwd)
  const tls = tlsOf(flags, cwd)
  return {
    ...(tokens === undefined ? {} : { tokens: parseTokens(readSecrets(cwd, tokens, '--token-file')) }),
    ...(check && { check }),
    ...(tls && { tls }),
    hosts: flags['allow-host'] ?? [],
    origins: flags['allow-origin'] ?? [],
  }
}

function tlsOf(flags: HttpFlags, cwd: string): Access['tls'] {
  const [cert, key, ca] = [flags['tls-cert'], flags['tls-key'], flags['client-ca']]
  if ((cert === undefined) !== (key === undefined) || (ca !== undefined && cert === undefined))
    throw new SwornError('USAGE', '--tls-cert and --tls-key belong together, --client-ca to both')
  if (cert === undefined || key === undefined) return undefined
  return {
    cert: readNamedFile(cwd, cert, '--tls-cert'),
    key: readNamedFile(cwd, key, '--tls-key'),
    ...(ca === undefined ? {} : { clientCa: readNamedFile(cwd, ca, '--client-ca') }),
  }
}

/** Where clients come in, and who may. @throws SwornError CONFIG_INVALID when others could and nothing keeps them out */
async function doorOf(flags: HttpFlags, at: string, cwd: string): Promise<{ readonly listen: ListenAddress; readonly access: Access }> {
  const [listen, access] = [parseListen(at), await accessOf(flags, cwd)]
  checkAccess(listen, access)
  return { listen, access }
}

/** Header fields for the upstream. @throws SwornError IO_FAILED, USAGE, CONFIG_INVALID when others can read them */
export function headersOf(flags: HttpFlags, cwd: string): Record<string, string> {
  const file = flags['header-file']
  return file === undefined ? {} : parseHeaders(readSecrets(cwd, file, '--header-file'))
}

/**
 * What the flags ask for, checked before anything is opened.
 * @throws SwornError USAGE, IO_FAILED, CONFIG_INVALID
 */
export async function planHttp(flags: HttpFlags, words: readonly string[], io: Io): Promise<(relay: RelayOptions) => Promise<ProxyExit>> {
  const [command, ...args] = words
  if (flags.listen !== undefined && command !== undefined) {
    const front = { command, args, env: { ...io.env }, cwd: io.cwd, ...(await doorOf(flags, flags.listen, io.cwd)) }
    return (relay) => serveHttp(() => openStdioServer(extendRelay(relay, front)), io)
  }
  const upstream = parseUrl(flags.url ?? '')
  if (flags.listen !== undefined) {
    const front = { upstream, ...(await doorOf(flags, flags.listen, io.cwd)) }
    return (relay) => serveHttp(() => openHttpProxy(extendRelay(relay, front)), io)
  }
  const { stdin, stdout, cwd } = io
  const headers = headersOf(flags, cwd)
  return (relay) => runRemoteProxy(extendRelay(relay, { upstream, stdin, stdout, headers }))
}

/** Listens until SIGINT or SIGTERM. */
async function serveHttp(open: () => Promise<HttpProxy>, io: Io): Promise<ProxyExit> {
  const proxy = await open()
  io.say('warn', `listening on ${proxy.url}`)
  await new Promise<void>((done) => {
    if (io.signal.aborted) done()
    else io.signal.addEventListener('abort', () => done(), { once: true })
  })
  await proxy.close()
  return { exitCode: 0, signal: null }
}
