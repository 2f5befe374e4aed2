/**
 * What the HTTP side of the proxy is given, and its bounds.
 * @module
 */
import type { RelayOptions } from '../relay/options.ts'

/** Of a token whose signature was checked. */
export type Claims = Readonly<Record<string, unknown>>

/** Who may come in from an address that others can reach. */
export interface Access {
  /** Secrets and the users they stand for; sent as `Authorization: Bearer …` or, beside a token for the upstream, `Proxy-Authorization: Bearer …`. */
  readonly tokens?: readonly { readonly token: string; readonly user?: string }[]
  /** What a token of an issuer claims, sent as the others; undefined for one that does not count. Never rejects. */
  readonly check?: (token: string) => Promise<Claims | undefined>
  /** PEM. With `clientCa` every client shows a certificate of that authority; its common name is the user. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string }
  /** Names by which clients may call us, beside the address listened on; `name` or `name:port`. */
  readonly hosts?: readonly string[]
  /** Web origins that may call us; on a loopback address those of this machine may always. */
  readonly origins?: readonly string[]
}

export interface Limits {
  /** Requests and open streams at one time; default 256. */
  readonly exchanges?: number
  /** Sessions remembered; default 1,024. The longest idle one ends first. */
  readonly sessions?: number
  /** Bytes of request bodies being held at one time; default 64 MiB. One body: 10 MiB. */
  readonly bodyBytes?: number
  /** Time for the head of a request, and for the whole of it; default 10,000 and 30,000. */
  readonly headMs?: number
  readonly requestMs?: number
  /** Silence of the upstream on an answer that is waited for; default 300,000. Streams opened with GET have none. */
  readonly answerMs?: number
  /** Until a connection to the upstream stands; default 10,000. */
  readonly connectMs?: number
  /** A client that takes nothing for so long is cut off; default 60,000. */
  readonly slowClientMs?: number
  /** A session without a request for so long has ended; default 1,800,000. */
  readonly idleMs?: number
}

/** Where to listen. Port 0: any free one. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

export interface HttpFrontOptions extends RelayOptions {
  readonly listen: ListenAddress
  readonly access?: Access
  readonly limits?: Limits
}

export interface HttpProxyOptions extends HttpFrontOptions {
  /** `http:` or `https:`; without credentials and fragment. */
  readonly upstream: URL
}

/** A proxy that listens. */
export interface HttpProxy {
  /** What clients are given: `http://127.0.0.1:4711/mcp`. */
  readonly url: string
  /** Ends every session: requests in flight are answered, ends are recorded. */
  close(): Promise<void>
}

export const LIMITS: Required<Limits> = {
  exchanges: 256,
  sessions: 1024,
  bodyBytes: 64 * 1024 * 1024,
  headMs: 10_000,
  requestMs: 30_000,
  answerMs: 300_000,
  connectMs: 10_000,
  slowClientMs: 60_000,
  idleMs: 1_800_000,
}
