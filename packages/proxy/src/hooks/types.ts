/**
 * What a coding agent tells through its hooks, in our words, and what it is told back.
 *
 * A client is data: names of its events and members, and the form of its replies. Everything that decides or records
 * is in the engine, once. Source: the clients' hook references; capture.md §4.6.
 * @module
 */
import type { Outcome, SwornError } from '@sworn/recorder'

export const HOOK_KINDS = [
  'session_start',
  'session_end',
  'prompt',
  'before',
  'after',
  'failed',
  'permission',
  'permission_denied',
  'subagent_start',
  'subagent_end',
  'compaction',
  'stop',
  'trouble',
] as const
export type HookKind = (typeof HOOK_KINDS)[number]

/** Members that are read as text of at most 1,024 characters. */
export const TEXT_MEMBERS = [
  'session',
  'turn',
  'call',
  'agent',
  'agentType',
  'spawned',
  'tool',
  'model',
  'version',
  'reason',
  'cwd',
  'transcript',
  'mode',
  'time',
] as const
export type TextMember = (typeof TEXT_MEMBERS)[number]
/** Members that are kept as they came; what is recorded of them is redacted and bounded by the recorder. */
export type ValueMember = 'input' | 'output' | 'error' | 'prompt' | 'durationMs'

/** One hook's payload, normalised. Every text is the client's claim. */
export type Hook = { readonly kind: HookKind /** The client's own name of it. */; readonly event: string } & {
  readonly [M in TextMember]?: string
} & { readonly [M in Exclude<ValueMember, 'durationMs'>]?: unknown } & {
  readonly durationMs?: number
  /** What became of the call, for `after`, `failed` and `permission_denied`. */
  readonly status: Outcome['status']
  /** Why the payload could not be read; then nothing else of it is known. */
  readonly unread?: SwornError
}

/** What the client is told. `none`: nothing; it goes on by its own rules. `rewrite`: the same, with other arguments. */
export type Answer =
  | { readonly decision: 'none' }
  | { readonly decision: 'deny' | 'ask'; readonly reason: string }
  | { readonly decision: 'rewrite'; readonly input: unknown }

export type Payload = Readonly<Record<string, unknown>>

export interface HookClient {
  readonly name: string
  /** The client's events that are installed, and what each is to us. */
  readonly events: Readonly<Record<string, HookKind>>
  /** For each of our members the payload's names of it; the first that is there counts. A dot leads into an object. */
  readonly members: { readonly [M in TextMember | ValueMember]?: readonly string[] }
  /** Tools whose calls begin a subagent. */
  readonly spawns: readonly string[]
  /** Whether the client asks its user when a hook says so. */
  readonly asks: boolean
  /** The reply that changes a call's arguments and leaves the rest to the client; absent: it has none. */
  rewrite?(input: unknown): object
  /** It lays changed arguments over the old ones: a name that has to be masked would stay. */
  readonly merges?: true
  /** Absent: `ok` after, `error` for a failure. */
  status?(payload: Payload, kind: HookKind): Outcome['status'] | undefined
  /** The JSON on stdout; for `before` only. */
  reply(answer: Extract<Answer, { reason: string }>): object
  readonly facts: HookFacts
}

/** For docs/reference/hooks.md and `instrumentation_report`. */
export interface HookFacts {
  readonly title: string
  /** `measured`: seen with the client itself; `documented`: from its documentation. */
  readonly source: 'measured' | 'documented'
  /** The version that was measured. */
  readonly version?: string
  /** When hooks are not run at all. */
  readonly untrusted: string
}
