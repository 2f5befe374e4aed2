/** What a server is opened with, and its bounds. @module */
import type { AuditEvent, Recorder } from '@sworn/recorder'
import type { EventLimits } from '@sworn/recorder/http'

export interface ListenAddress {
  /** A name or an address; IPv6 with or without brackets. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

/** `report` may send events and ask; `govern` may also revoke and approve. */
export type Right = 'report' | 'govern'

export interface Token {
  /** 16 to 512 visible ASCII characters. */
  readonly token: string
  /** What the record says; never the token. */
  readonly name: string
  readonly may: Right
}

/** PEM texts. */
export interface Tls {
  readonly cert: string
  readonly key: string
  /** Clients need a certificate of it; its common name is who reports. */
  readonly clientCa?: string
}

export interface Access {
  readonly tokens: readonly Token[]
  /** Further values of `Host` that are ours. */
  readonly hosts?: readonly string[]
  /** Further values of `Origin` whose pages may call. */
  readonly origins?: readonly string[]
  readonly tls?: Tls
}

/** A room that checks its callers itself. */
export interface Room {
  /** Names the room in the record of those it turns away (401), which the server writes; absent: the room records them. */
  readonly endpoint?: string
  /** undefined: the path is not one of the room's. */
  route(request: Request): Promise<Response | undefined>
}

export interface Limits {
  /** Requests that are answered beside each other. */
  readonly requests: number
  readonly connections: number
  /** From the first byte of a request to the end of its header. */
  readonly headMs: number
  /** From the first byte of a request to its last. */
  readonly requestMs: number
  /** How long a connection may do nothing. */
  readonly idleMs: number
  /** How long answers may take once the server is being closed. */
  readonly graceMs: number
}

export const LIMITS: Limits = { requests: 64, connections: 256, headMs: 10_000, requestMs: 30_000, idleMs: 60_000, graceMs: 10_000 }

export interface ServerOptions {
  readonly listen: ListenAddress
  readonly access: Access
  readonly recorder: Recorder
  /** Asked in order, after the server's own paths. */
  readonly rooms?: readonly Room[]
  /** Adds to what `/health` answers, and may make it worse; its events are its own. */
  readonly health?: Room
  /** Answers at `/metrics`, to whoever has a token; absent: no such path. */
  readonly metrics?: (request: Request) => Promise<Response>
  readonly limits?: Partial<Limits>
  readonly events?: Partial<EventLimits>
}

export interface Server {
  /** `http://host:port`, with the port that was bound. */
  readonly url: string
  /** Takes no more, lets what is being answered end, and records what was refused. The recorder stays open. */
  close(): Promise<void>
}

/** Who asks. */
export interface Caller {
  readonly name: string
  readonly may: Right
}

export type NoteFn = (event: AuditEvent) => Promise<unknown>
