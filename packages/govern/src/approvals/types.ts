/**
 * Approvals: the contract between a question, the channels that put it to people, and whoever waits.
 *
 * A channel shows the exact text of a question and tells what it hears. It decides nothing: whether an
 * answer counts is judged in one place (`settling.ts`). Every channel passes the contract suite
 * `test/support/channel-contract.ts`. Source: issue "Approvals", spec events §1 (human_decision), §2.
 * @module
 */
import type { Action, AuditEvent, HumanDecision, Verdict } from '@sworn/recorder'
import type { ApprovalAnswer } from '../approval.ts'

/** once: this call. session: this tool until the session ends. call: this tool with exactly these arguments until then. */
export const SCOPES = ['once', 'session', 'call'] as const
export type Scope = (typeof SCOPES)[number]

/** What is put to a person. Holds nothing unredacted. */
export interface Question {
  /** 32 hex characters, random: it names the question and cannot be guessed. */
  readonly id: string
  /** What is shown, byte for byte: redacted, control and bidi characters escaped, lines end with `\n`. */
  readonly text: string
  /** `sha256:` + hex SHA-256 of the UTF-8 bytes of `text`. */
  readonly shownHash: string
  /** RFC 3339, UTC, milliseconds. */
  readonly askedAt: string
  readonly expiresAt: string
  readonly timeoutMs: number
  /** What may be approved; `once` always. */
  readonly scopes: readonly Scope[]
  /** Keyed hash of session, tool and unredacted arguments: equal for equal calls, useless outside this process. */
  readonly callKey: string
  readonly tool: string
  readonly session?: string
}

/** What a person said, as a channel heard it. */
export interface Answer {
  readonly id: string
  readonly shownHash: string
  readonly approved: boolean
  readonly scope: Scope
  /** Who: an operating system user, the name behind a token, a client's name; at most 256 characters. */
  readonly approver?: string
  /** At most 1,000 characters. */
  readonly reason?: string
}

/** Why a channel cannot bring an answer. A word, never a text from outside. */
export type ChannelFailure =
  | 'absent'
  | 'broken'
  | 'closed'
  | 'dismissed'
  | 'refused'
  | 'too_long'
  | 'unreachable'
  | 'unsigned'
  | 'unusable_answer'

/** What a channel tells. `answer` is hostile and checked by the receiver. */
export type Report =
  | { readonly kind: 'shown' }
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly why: ChannelFailure }

/** What became of a report. `mismatch`: for another question or other bytes. `malformed`: no answer at all. */
export type Reception = 'accepted' | 'late' | 'mismatch' | 'malformed' | 'noted'

export type Tell = (report: Report) => Reception

export interface Channel {
  /** Recorded as `human_decision.channel`. */
  readonly name: string
  /** UTF-16 units of `text` that it can show whole; longer questions do not go through it. */
  readonly maxChars: number
  /**
   * Puts the question to a person and returns how to take it back. What it throws counts as `broken`.
   * `withdraw` is called once, whoever answered, and resolves when nothing of the question is left: no
   * process, no listener, no prompt. Afterwards `tell` may still be called; such answers are late.
   */
  open(question: Question, tell: Tell): Withdraw
}

export type Withdraw = (settled: ApprovalAnswer) => void | Promise<void>

/** A call that needs a person, with the `ask` that the gate gave it. */
export interface ApprovalRequest {
  readonly action: Action
  readonly verdict: Verdict
  /** The action's correlation_id. */
  readonly correlationId?: string
}

/** How a question ended, once. */
export interface Settlement {
  readonly answer: ApprovalAnswer
  /** For the record and the client; never a value of the call. */
  readonly reason: string
  /** Members of the `authorization_decision`: human_decision when a question was shown, metadata.approval. */
  readonly members: {
    readonly human_decision?: HumanDecision
    readonly metadata?: { readonly approval: Readonly<Record<string, unknown>> }
  }
}

/** A question that has to be asked: first record `requested`, then `ask()`. */
export interface Asking {
  readonly question: Question
  /** `approval_requested`: on disk before `ask()`, so that a crash while waiting is visible. If it cannot be recorded: `cancel()`. */
  readonly requested: AuditEvent
  /** Shows the question everywhere and waits. Never rejects. A second call gives the same answer. */
  ask(): Promise<Settlement>
  /** Nobody needs the answer any more: settles as unavailable. */
  cancel(): void
}

/** An approval that still holds. */
export interface Remembered {
  /** The id of the question that was answered. */
  readonly id: string
  readonly scope: Exclude<Scope, 'once'>
  readonly tool: string
  readonly session: string
  readonly shownHash: string
  readonly channel: string
  readonly approver?: string
  /** RFC 3339. */
  readonly grantedAt: string
}
