/**
 * The guard: the contract between what sees an action and what records and decides it.
 *
 * An adapter reports an `Action` before it happens, obeys the `Verdict`, and reports the
 * `Outcome`. The gate (`@sworn/govern`) decides; without a gate everything is allowed and recorded.
 * Order, always: verdict → decision record durable → effect → outcome record (law 3).
 * @module
 */
import type { AuditEvent, EventContext } from '../event/types.ts'
import type { Reservation, Reserve } from '../port/types.ts'

export interface ActionIds {
  readonly session?: string
  readonly run?: string
  readonly turn?: string
  readonly call?: string
  readonly parentCall?: string
  readonly trace?: string
  readonly span?: string
  readonly agent?: string
  readonly user?: string
  /** How `user` is known, in the words of the member `user_source`. */
  readonly userSource?: EventContext['user_source']
  /** Of the access token that came with the action, after its signature was checked: roles are read from them. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** What is about to happen, as the source tells it. Hostile input. */
export interface Action {
  readonly kind: 'tool' | 'model' | 'resource' | 'handoff' | 'message' | 'session' | 'custom'
  /** The name that is judged and recorded. */
  readonly name: string
  /** The source's own spelling, when it differs. */
  readonly rawName?: string
  readonly input?: unknown
  /** Hashes of the tool as its server describes it, one an algorithm; absent: it was not described. */
  readonly described?: readonly string[]
  /** The server describes the tool differently than when it was first seen. */
  readonly redescribed?: boolean
  readonly ids: ActionIds
  readonly server?: { readonly name?: string; readonly version?: string; readonly transport?: string }
  /** JSON-RPC id and method, when the source is MCP. */
  readonly rpc?: { readonly id?: string | number; readonly method: string }
  /** Who serves the model, in the words of OpenTelemetry's `gen_ai.provider.name`. */
  readonly provider?: string
  readonly sourceTime?: string
}

export interface Outcome {
  readonly status: 'ok' | 'error' | 'denied' | 'cancelled' | 'timeout' | 'unknown'
  readonly output?: unknown
  readonly error?: unknown
  readonly errorType?: string
  readonly durationMs?: number
  /** false: the stream broke, the output is what arrived. */
  readonly complete?: boolean
  /** Why a model stopped, in its own word. */
  readonly finishReason?: string
  readonly usage?: {
    readonly inputTokens?: number
    readonly outputTokens?: number
    readonly cachedTokens?: number
    readonly costUsd?: number
  }
}

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number
  readonly output: number
  /** Input read from a cache; default: as other input. */
  readonly cached?: number | undefined
}

/** By the model's name; a name that ends with `*` stands for all that begin so. */
export type Prices = Readonly<Record<string, Price>>

/** What an action takes from one budget (docs/format.md, "Budgets"). */
export interface Spent {
  readonly counter: string
  readonly amount: number
  /** Absent: counted after the fact. */
  readonly limit?: number
}

/** A budget of tokens or money: it counts what is reported of a call afterwards, and nothing else. */
export interface Meter {
  /** `roles.NAME.budgets.MEASURE.SCOPE`. */
  readonly rule: string
  readonly measure: 'tokens' | 'usd'
}

/** Why, in the words of docs/format.md; recorded on the decision and told to the client. */
export interface VerdictReason {
  readonly reason: string
  /** One of spec events §3. */
  readonly reasonCode: string
  readonly matchedRule?: string
  readonly policyName?: string
  readonly policyVersion?: string
  readonly policyHash?: string
  readonly policyMode?: 'enforce' | 'monitor' | 'dry_run'
  readonly violation?: boolean
  readonly enforced?: boolean
  readonly riskLevel?: 'low' | 'medium' | 'high' | 'critical'
  /** Of who acts, where roles are set. */
  readonly role?: string
  readonly orgUnit?: string
  /** Taken from budgets; stands in `metadata.spent` of the decision, in `metadata.returned` when the call is refused after all. */
  readonly spent?: readonly Spent[]
  /** Counter of the rate that granted it, counted where the ledger is appended; stands in `metadata.rate` of the decision. */
  readonly rate?: string
  /** Set when the action tried to write what records or governs it: recorded as `config_tampered`. */
  readonly tamperedWith?: string
  /** What was found in the data and done about it; recorded after the decision. */
  readonly matches?: readonly DlpMatch[]
  /** What a JSON-RPC client is told; `data` and `message` never name a protected path or a value. */
  readonly rpcError?: {
    readonly code: number
    readonly message: string
    readonly data?: Readonly<Record<string, unknown>>
    readonly profile: string
  }
}

export type Verdict =
  | ({ readonly decision: 'allow'; readonly input?: unknown } & VerdictReason)
  | ({ readonly decision: 'deny' } & VerdictReason)
  | ({ readonly decision: 'ask'; readonly input?: unknown } & VerdictReason)

/** An `ask` on its way to people. */
export interface AskRequest {
  readonly action: Action
  readonly verdict: Verdict
  readonly correlationId: string
}

/** What people made of an `ask`. */
export interface Asked {
  /** Never `ask`. */
  readonly verdict: Verdict
  /** Go into the record of the decision; `metadata` is merged. */
  readonly members: Readonly<Record<string, unknown>> & { readonly metadata?: Readonly<Record<string, unknown>> }
}

/**
 * Puts an `ask` to people. Never rejects. Before anybody sees the question `record` is given the event that says so;
 * it resolves with false when that event is not on disk, and then nobody is asked.
 */
export type AskFn = (request: AskRequest, record: (event: AuditEvent) => Promise<boolean>) => Promise<Asked>

/** One sensitive pattern found, with where and what was done about it. */
export interface DlpMatch {
  readonly pattern: string
  readonly matchCount: number
  readonly direction: 'request' | 'response'
  readonly dlpAction: 'warn' | 'mask' | 'block'
  readonly redacted: boolean
  /** The policy wants more done about it than could be. */
  readonly enforced?: false
}

/** The result of looking at data on its way through: the same object when nothing was found. */
export interface Inspected {
  readonly value: unknown
  readonly matches: readonly DlpMatch[]
  readonly blocked: boolean
}

/** Shares a limit between processes; see `Port.reserve`. */
export type ReserveFn = (step: Reserve) => Promise<Reservation>

/** A tool in a server's list; `described` is empty when no hash can be made of it. */
export type ListedTool = Required<Pick<Action, 'name' | 'described' | 'redescribed'>>

/** What decides. Pure but for `reserve`; never throws: a broken policy is a verdict. */
export interface Gate {
  /** Members that every decision of this gate carries. */
  readonly policy: {
    readonly name?: string
    readonly version?: string
    readonly hash?: string
    readonly mode?: 'enforce' | 'monitor' | 'dry_run'
  }
  /** A JSON-RPC method other than tools/call. */
  judgeMethod(method: string): Verdict
  /** A tool call; consumes rate tokens. */
  judge(action: Action): Promise<Verdict>
  /** A tool as its server lists it: whether a client may see it. Absent: it may. */
  judgeListed?(tool: ListedTool): Verdict
  /** Looks at data before it is passed on. */
  inspect(value: unknown, direction: 'request' | 'response'): Inspected
  /** A line of a server's stderr before a person sees it; absent: it passes as it is. `value` is a string. */
  inspectLog?(text: string): Inspected
  /** What an outcome takes from budgets, for `metadata.spent` of its record. Absent: there are no budgets. */
  charge?(ids: ActionIds, usage: NonNullable<Outcome['usage']>): readonly Spent[]
  /** Budgets of tokens and money: those of whoever acts, without `ids` all. Absent: there are none. */
  meters?(ids?: ActionIds): readonly Meter[]
  /** `metadata.budget` of a session's end. Absent: there are no budgets. */
  budget?(ids: ActionIds): Promise<{ readonly used: number; readonly remaining: number | null; readonly unlimited?: true }>
}
