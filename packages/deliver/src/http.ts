/**
 * HTTP requests of sinks: no redirects, addresses by policy, bounded answers, connections kept.
 *
 * The address is checked where the connection is made, so that a name cannot lead elsewhere than what was checked.
 * @module
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { SwornError } from '@sworn/verify'
import type { Answer } from './http-answer.ts'

/** Kinds of addresses that may be reached. */
export type AddressKind = 'public' | 'private' | 'loopback' | 'link_local'

export interface HttpOptions {
  readonly url: string
  /** Default: all but link-local ones, where clouds keep their credentials. */
  readonly addresses?: readonly AddressKind[] | undefined
  /** PEM of authorities to trust instead of the usual ones. */
  readonly ca?: string | undefined
  readonly maxSockets?: number
  /** Bytes of an answer that are kept; default 1 MiB. */
  readonly maxAnswer?: number
  /** Default POST; the others for probes. */
  readonly method?: 'POST' | 'GET' | 'DELETE'
}

/** Several are sent behind each other, as one. */
export type Body = string | Uint8Array | readonly Uint8Array[]

export interface HttpSender {
  /** @throws Error with a `code` when there was no answer */
  post(body: Body, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer>
  close(): void
}

const DEFAULT_ADDRESSES: readonly AddressKind[] = ['public', 'private', 'loopback']
const MAX_ANSWER = 1 << 20

const NETS: readonly (readonly [AddressKind, string, number])[] = [
  ['loopback', '127.0.0.0', 8],
  ['loopback', '::1', 128],
  ['link_local', '169.254.0.0', 16],
  ['link_local', 'fe80::', 10],
  ['link_local', 'fd00:ec2::254', 128],
  ['link_local', '100.100.100.200', 32],
  ['private', '0.0.0.0', 8],
  ['private', '::', 128],
  ['private', '10.0.0.0', 8],
  ['private', '100.64.0.0', 10],
  ['private', '172.16.0.0', 12],
  ['private', '192.168.0.0', 16],
  ['private', 'fc00::', 7],
]
const LISTS = NETS.map(([kind, net, prefix]) => {
  const list = new BlockList()
  list.addSubnet(net, prefix, isIP(net) === 6 ? 'ipv6' : 'ipv4')
  return { kind, list }
})

/** IPv4 inside IPv6 counts as what it is. */
export function addressKind(address: string): AddressKind {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  return LISTS.find(({ list }) => list.check(v4, isIP(v4) === 6 ? 'ipv6' : 'ipv4'))?.kind ?? 'public'
}

/**
 * For clients that make their own requests: the same addresses and authorities. Without a URL they know theirs.
 * @throws SwornError CONFIG_INVALID for what is no http or https URL, or an address that is not allowed
 */
export function createAgents({
  url,
  addresses = DEFAULT_ADDRESSES,
  ca,
}: Pick<HttpOptions, 'addresses' | 'ca'> & { readonly url: string | undefined }) {
  const host = url === undefined ? '' : parseUrl(url).hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !addresses.includes(addressKind(host))) throw new SwornError('CONFIG_INVALID', refusal().code ?? '', 'endpoint')
  const options = { keepAlive: true, maxSockets: 8, lookup: createLookup(addresses) }
  return { httpAgent: new http.Agent(options), httpsAgent: new https.Agent({ ...options, ...(ca !== undefined && { ca }) }) }
}

/** @throws SwornError CONFIG_INVALID for what is no http or https URL, or names a user */
export function createSender({
  url: text,
  addresses = DEFAULT_ADDRESSES,
  ca,
  maxSockets = 8,
  method = 'POST',
  maxAnswer = MAX_ANSWER,
}: HttpOptions): HttpSender {
  const url = parseUrl(text)
  const isSecure = url.protocol === 'https:'
  const agent = new (isSecure ? https : http).Agent({ keepAlive: true, maxSockets, ...(ca !== undefined && { ca }) })
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const lookup = createLookup(addresses)
  return {
    async post(body, headers, signal) {
      if (isIP(host) !== 0) checkAddress(host, addresses)
      const request = (isSecure ? https : http).request(url, {
        method,
        agent,
        lookup,
        signal,
        headers: { ...headers, 'content-length': sizeOf(body) },
      })
      return await new Promise((resolve, reject) => {
        request.once('error', reject)
        request.once('response', (response) => void readAnswer(response, maxAnswer).then(resolve, reject))
        sendAll(request, body)
      })
    },
    close: () => agent.destroy(),
  }
}

function sizeOf(body: Body): number {
  return isParts(body) ? body.reduce((sum, { length }) => sum + length, 0) : Buffer.byteLength(body)
}

function sendAll(request: ClientRequest, body: Body): void {
  if (!isParts(body)) return void request.end(body)
  request.cork() // one write to the connection
  for (const part of body) request.write(part)
  request.end()
}

function isParts(body: Body): body is readonly Uint8Array[] {
  return Array.isArray(body)
}

/** @throws SwornError CONFIG_INVALID; the URL is not repeated, it could hold a secret */
export function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) throw new SwornError('CONFIG_INVALID', 'an http or https URL was expected', 'url')
  if (url.username !== '' || url.password !== '') throw new SwornError('CONFIG_INVALID', 'a URL without a user was expected', 'url')
  return url
}

async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += chunk.length
    if (size > maxBytes) break // what it would say further does not matter; leaving the loop ends the connection
    chunks.push(chunk)
  }
  const retryAfter = response.headers['retry-after']
  return { status: response.statusCode ?? 0, retryAfter, text: Buffer.concat(chunks).toString('utf8') }
}

function createLookup(addresses: readonly AddressKind[]): LookupFunction {
  return (name, options, callback) => {
    dnsLookup(name, { ...options, all: true }, (error, found: LookupAddress[]) => {
      const allowed = (found ?? []).filter(({ address }) => addresses.includes(addressKind(address)))
      if (error) callback(error, '')
      else if (allowed.length === 0) callback(refusal(), '')
      else if (options.all) callback(null, allowed)
      else callback(null, allowed[0]!.address, allowed[0]!.family)
    })
  }
}

function checkAddress(address: string, addresses: readonly AddressKind[]): void {
  if (!addresses.includes(addressKind(address))) throw refusal()
}

function refusal(): NodeJS.ErrnoException {
  return Object.assign(new Error('the address is not allowed'), { code: 'address not allowed (sinks.addresses)' })
}
