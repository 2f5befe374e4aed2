/**
 * The HTTP side of an open recorder: what `sworn serve` listens with, and `sworn proxy --api`.
 * @module
 */
import { createSecureContext } from 'node:tls'
import { createObservations } from '@sworn/analyze/actions'
import { type Entry, findLedger } from '@sworn/analyze/reading'
import { createMetricsRoute, type Family, type MetricsOptions, openMetrics } from '@sworn/deliver/metrics'
import type { Sample, ServerRules } from '@sworn/govern/http'
import { readTextFile } from '@sworn/recorder'
import { isLoopback } from '@sworn/recorder/http'
import { type Access, type ListenAddress, openServer, type Room, type Server, type Tls, type TokenFile } from '@sworn/server'
import { SwornError } from '@sworn/verify'
import type { Io } from './frame/io.ts'
import { indexFamilies } from './index-families.ts'
import { watchLedger } from './ledger-watch.ts'
import type { Opened } from './open-recorder.ts'

/** Names whoever reports over HTTP: a retry finds its event after a restart, and at another server of the ledger. */
export const HTTP_PRODUCER = 'sworn.http'

/** As flags bring it. */
export interface ServerFlags {
  readonly listen: string
  readonly hosts?: readonly string[]
  readonly origins?: readonly string[]
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly clientCa?: string | undefined
}

/** Where to listen and who may come in, besides the tokens. */
export interface Front {
  readonly listen: ListenAddress
  readonly access: Omit<Access, 'tokens'>
}

export interface ServerRooms {
  readonly tokens: readonly TokenFile[]
  readonly rooms: readonly Room[]
  readonly health?: Room
  /** What the rooms count of themselves. */
  readonly samples?: () => readonly Sample[]
  /** What is known of the ledger's claims; absent: what the last verification left. */
  readonly verified?: MetricsOptions['verified']
  /** Takes what is recorded, from the newest segment on. */
  readonly take?: (entry: Entry) => void
}

/** `H:P`, IPv6 in brackets. @throws SwornError USAGE */
function parseListen(text: string, at: string): ListenAddress {
  const [, host = '', port = ''] = /^(\[[0-9a-f:.]+\]|[^\s/@:]+):(\d{1,5})$/i.exec(text) ?? []
  if (host === '' || Number(port) > 65_535) throw new SwornError('USAGE', 'an address like 127.0.0.1:7710 or [::1]:7710 was expected', at)
  return { host, port: Number(port) }
}

/**
 * Reads the flags and the files that they name; nothing is opened.
 * @param at the flag of the address
 * @throws SwornError USAGE, IO_FAILED, CONFIG_INVALID
 */
export function readFront(flags: ServerFlags, at: string): Front {
  const { hosts = [], origins = [] } = flags
  const tls = readTls(flags)
  return { listen: parseListen(flags.listen, at), access: { hosts, origins, ...(tls && { tls }) } }
}

/** The address and the certificate of `spec.server`, where the flags name none. @throws SwornError IO_FAILED */
export function frontOf({ host, port, tls }: ServerRules, { access }: Front): Front {
  const own = access.tls ?? (tls && { cert: readPem(tls.cert), key: readPem(tls.key) })
  return { listen: { host: host === '' ? '::' : host, port }, access: { ...access, ...(own && { tls: own }) } }
}

/**
 * Listens, with the numbers of the ledger at `/metrics`, and says where it listens and where the tokens are.
 *
 * @throws SwornError CONFIG_INVALID, IO_FAILED
 */
export async function openApi(opened: Opened, io: Io, front: Front, rooms: ServerRooms): Promise<Server> {
  const { listen, access } = front
  const { tokens, samples, take, verified, ...mounted } = rooms
  const { path, origin } = opened.port.info
  const { directory } = findLedger(path, '/')
  const numbers = openMetrics({
    path,
    origin,
    recorder: opened.recorder,
    index: () => indexFamilies(directory),
    ...(samples && numbersOf(samples)),
    ...(verified && { verified }),
    openObserver: createObservations,
  })
  const watch = take && (await watchLedger(path, { lately: take, now: take }, io.say))
  const close = async () => {
    await watch?.close()
    await numbers.close()
  }
  try {
    const metrics = createMetricsRoute(numbers)
    const server = await openServer({ listen, access: { ...access, tokens }, recorder: opened.recorder, metrics, ...mounted })
    sayWhere(io, front, server, tokens)
    return {
      url: server.url,
      async close() {
        await server.close()
        await close()
      },
    }
  } catch (e) {
    await close()
    throw e
  }
}

/** Counters, and what is none: gauges and histograms, a family for each name. */
function numbersOf(samples: () => readonly Sample[]): Required<Pick<MetricsOptions, 'samples' | 'families'>> {
  return {
    samples: () => samples().filter(({ type }) => type === undefined),
    families: async () => Array.from(Map.groupBy(samples(), ({ name }) => name).values()).flatMap(toFamily),
  }
}

function toFamily(series: readonly Sample[]): readonly Family[] {
  const { name = '', help = '', type } = series[0] ?? {}
  return type === undefined ? [] : [{ name, help, type, series }]
}

function sayWhere(io: Io, { listen, access }: Front, { url }: Server, tokens: readonly TokenFile[]): void {
  io.say('info', `listening on ${url}`)
  if (!isLoopback(listen.host) && !access.tls)
    io.say('warn', 'others can reach this address: a token is needed, and travels without encryption')
  else if (!isLoopback(listen.host)) io.say('info', 'others can reach this address: a token or a client certificate is needed')
  for (const { may, path } of tokens) io.say('info', `the token that may ${may} is in ${path}`)
}

function readTls({ cert, key, clientCa }: ServerFlags): Tls | undefined {
  if (cert === undefined && key === undefined && clientCa === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new SwornError('USAGE', 'a certificate and its key were expected', '--tls-cert, --tls-key')
  return checkTls({ cert: readPem(cert), key: readPem(key), ...(clientCa !== undefined && { clientCa: readPem(clientCa) }) })
}

function checkTls(tls: Tls): Tls {
  try {
    createSecureContext({ cert: tls.cert, key: tls.key, ...(tls.clientCa && { ca: tls.clientCa }) })
    return tls
  } catch {
    throw new SwornError('CONFIG_INVALID', 'a certificate and its key in PEM were expected', 'tls') // no cause: it could quote the file
  }
}

function readPem(path: string): string {
  const text = readTextFile(path)
  if (text === undefined) throw new SwornError('IO_FAILED', 'the file does not exist', path)
  return text
}
