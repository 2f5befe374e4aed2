/**
 * What the proxy is given: the server's command, the client's streams, the gate, the recorder.
 *
 * The recorder is a structural interface: the real one fits it, and so does an array in a test.
 * @module
 */
import type { Readable, Writable } from 'node:stream'
import type { Approvals, ClientDesk } from '@sworn/govern/approvals'
import type { IdentityDesk } from '@sworn/govern/identity'
import type { Gate } from '@sworn/recorder'
import type { Beside } from './session-tokens.ts'

/** The answer to one record. `spooled`: on disk beside the ledger, handed over later. `queued`: not waited for. `filtered`: the configuration leaves such records out, though it was required; a call that waits for it is refused. */
export type RecordAck =
  | { readonly seq: number; readonly entry_hash: string; readonly durable: boolean }
  | { readonly spooled: true; readonly durable: true }
  | { readonly queued: true }
  | { readonly filtered: true }

/** The part of a recorder that the proxy uses. */
export interface ProxyRecorder {
  /**
   * Takes one event of docs/format.md. `level` is a wish: `sync` resolves when the event is on disk. `required`: a call
   * waits for it, no configuration leaves it out.
   * A rejection means: not recorded, or not known to be.
   */
  record(event: Record<string, unknown>, options?: { readonly level?: 'sync' | 'batch'; readonly required?: boolean }): Promise<RecordAck>
}

/** Hashes of tools as the server first described them, kept longer than a session. Neither member throws. */
export interface ToolPins {
  find(tool: string): string | undefined
  keep(tool: string, hash: string): void
}

/** People who are asked about calls. The owner closes `approvals`. */
export interface ProxyApprovals {
  readonly approvals: Approvals
  /** Set where the channels of `approvals` include those of this desk: clients are asked too. */
  readonly client?: ClientDesk
}

export interface ProxyIdentity {
  readonly user?: string
  readonly user_source?: string
  readonly agent?: { readonly name?: string; readonly version?: string }
}

/** Where signals for this process arrive; `process` fits. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
}

/** What every transport of the proxy is given. */
export interface RelayOptions {
  /** Takes our own lines, `sworn: …`, where `say` is absent. */
  readonly stderr: Writable
  /**
   * Absent: everything is recorded, nothing is blocked, and stderr says so once. Read once per message, so a getter
   * changes policies between two calls and never within one.
   */
  readonly gate?: Gate
  readonly recorder: ProxyRecorder
  /** Called when the gate first says `ask`; gives the same every time. Absent: an `ask` is a denial. */
  readonly approvals?: () => Promise<ProxyApprovals>
  readonly identity?: ProxyIdentity
  /** Where identity tokens are issued and judged, when the policy in force enables them. Absent: none is asked for. */
  readonly tokens?: IdentityDesk
  /** What comes beside the messages of this client. */
  readonly beside?: Beside
  /** Default: pins last for a session. */
  readonly pins?: ToolPins
  /** Default: a random UUID. */
  readonly sessionId?: string
  /** Takes our own lines; default: all of them to stderr as `sworn: …`. */
  readonly say?: (level: 'error' | 'warn', line: string) => void
  /** What happens to a call whose record cannot be written; default `block`. Read for every call. */
  readonly onAuditFailure?: 'block' | 'continue'
  /** How long a call waits for its record; default 2,000. */
  readonly ackTimeoutMs?: number
  /** `before` (default): on disk before the call is forwarded. `batch`: written, on disk at most the sync delay later. */
  readonly recordMode?: 'before' | 'batch'
  /** Tools whose allowed calls leave no record, as whoever made them asked; `session_start` names them. Default: none. */
  readonly unrecorded?: ReadonlySet<string>
  /** Default: `process`. */
  readonly signals?: SignalSource
  /** Monotonic milliseconds; default `performance.now`. */
  readonly clock?: () => number
  readonly randomId?: () => string
}

export interface ProxyOptions extends RelayOptions {
  readonly command: string
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** The client's side: its requests come in here, its answers go out there. */
  readonly stdin: Readable
  readonly stdout: Writable
  /** After the client closed: how long the server may take before SIGTERM; default 1,500. */
  readonly closeGraceMs?: number
  /** The same while calls are in flight; default 30,000. */
  readonly drainGraceMs?: number
  /** Between SIGTERM and SIGKILL; default 1,500. */
  readonly termGraceMs?: number
}

/** How the server ended: one of the two is set, as `child_process` reports it. */
export interface ProxyExit {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}
