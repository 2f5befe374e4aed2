/**
 * Answers through the ledger: for a question of any process that writes it, from one that has the token that governs.
 *
 * The question stands in its `approval_requested`, the answer in an `approval_answered` with a seal: a MAC under the
 * token over everything that counts. Whoever may only report can write such an event and cannot seal it; a seal is good
 * for one question, whose id is random, and whose text it names. The reason is not sealed: it decides nothing.
 * Source: design §1 law 1, issue "Approvals".
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type AuditEvent, asText } from '@sworn/recorder'
import { parseAnswer } from '../answer.ts'
import { hashShown } from '../show.ts'
import { type Answer, type Channel, type Question, SCOPES, type Tell } from '../types.ts'
import type { RecordedEvent } from '../unsettled.ts'
import { memberOf } from './mcp-messages.ts'

/** Recorded as `human_decision.channel`. */
const NAME = 'serve'
const MAX_CHARS = 65_536
/** A question waits an hour at most. */
const MAX_WAIT_MS = 3_600_000

export interface SealedChannelOptions {
  /** The token that governs, of this machine's state directory. Read for every answer; while it throws, none counts. */
  readonly secret: () => string
  /** Whether somebody shows questions of the ledger at this moment; nobody is waited for who is not there. */
  readonly isShown: () => boolean
  /** From now on `hear` is given what is recorded, until what is returned is called. `lost`: nobody shows questions any more. */
  readonly follow: (lost: () => void) => () => void
}

export interface SealedChannel {
  readonly channel: Channel
  /** Takes one recorded event; other events are not looked at. */
  hear(entry: RecordedEvent): void
}

export function createSealedChannel({ secret, isShown, follow }: SealedChannelOptions): SealedChannel {
  const open = new Map<string, Tell>()
  return {
    channel: {
      name: NAME,
      get maxChars() {
        return isShown() ? MAX_CHARS : 0
      },
      open({ id }, tell) {
        open.set(id, tell)
        tell({ kind: 'shown' })
        const end = follow(() => tell({ kind: 'failed', why: 'closed' }))
        return () => {
          open.delete(id)
          end()
        }
      },
    },
    hear(entry) {
      if (entry.event_type !== 'approval_answered') return
      const tell = open.get(asText(approvalOf(entry, 'id')))
      const answer = memberOf(entry.metadata, 'answer')
      if (tell && memberOf(answer, 'channel') === NAME) tell({ kind: 'answer', answer: unsealQuietly(secret, entry, answer) })
    },
  }
}

function unsealQuietly(secret: () => string, entry: RecordedEvent, said: unknown): Answer | undefined {
  try {
    return unseal(secret(), entry, said)
  } catch {
    return undefined
  }
}

/** The answer as it was sealed; undefined, which is no answer, for another seal. */
function unseal(secret: string, entry: RecordedEvent, said: unknown): Answer | undefined {
  const answer = parseAnswer({
    id: approvalOf(entry, 'id'),
    shownHash: approvalOf(entry, 'shown_hash'),
    approved: memberOf(said, 'approved'),
    scope: memberOf(said, 'scope'),
    approver: memberOf(said, 'approver'),
    reason: memberOf(said, 'reason'),
  })
  const seal = Buffer.from(asText(memberOf(said, 'seal')))
  const expected = answer && Buffer.from(sealOf(secret, answer))
  return expected && seal.length === expected.length && timingSafeEqual(seal, expected) ? answer : undefined
}

function sealOf(secret: string, { id, shownHash, approved, scope, approver }: Answer): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify(['sworn approval', 1, id, shownHash, approved, scope, approver ?? null]))
    .digest('hex')
}

/** The event that answers. */
export function sealedEvent(secret: string, { tool }: Question, answer: Answer): AuditEvent {
  const { id, shownHash, approved, scope, approver, reason } = answer
  return {
    event_type: 'approval_answered',
    tool,
    reason: approved ? 'A person approved' : 'A person refused',
    metadata: {
      approval: { id, shown_hash: shownHash },
      answer: { channel: NAME, approved, scope, approver, reason, seal: sealOf(secret, answer) },
    },
  }
}

/**
 * The question of a recorded `approval_requested`; undefined for one that was reported from outside, whose text is not
 * what was hashed, or whose time is over. Hostile input.
 */
export function toAskedQuestion(entry: RecordedEvent & { readonly source?: unknown }, nowMs: number): Question | undefined {
  const { event_type, tool, session_id: session, timestamp: askedAt, expires_at: expiresAt, metadata } = entry
  if (event_type !== 'approval_requested' || memberOf(entry.source, 'vantage') === 'reported') return undefined
  const [id, text, scopes] = [approvalOf(entry, 'id'), memberOf(metadata, 'shown'), approvalOf(entry, 'scopes')]
  if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id) || typeof text !== 'string' || !Array.isArray(scopes)) return undefined
  if (typeof tool !== 'string' || typeof askedAt !== 'string' || typeof expiresAt !== 'string') return undefined
  const shownHash = hashShown(text)
  const leftMs = Date.parse(expiresAt) - nowMs
  if (
    memberOf((entry as { human_decision?: unknown }).human_decision, 'shown_hash') !== shownHash ||
    !(leftMs > 0 && leftMs <= MAX_WAIT_MS)
  )
    return undefined
  const known = SCOPES.filter((scope) => scopes.includes(scope))
  const base = { id, text, shownHash, askedAt, expiresAt, timeoutMs: leftMs, scopes: known, callKey: '', tool }
  return typeof session === 'string' ? { ...base, session } : base
}

/** The question that an entry settles, and whether our answer did it; undefined for one that was reported from outside. */
export function settledBy(
  entry: RecordedEvent & { readonly human_decision?: unknown; readonly source?: unknown },
): { readonly id: string; readonly isOurs: boolean } | undefined {
  const id = approvalOf(entry, 'id')
  if (entry.event_type !== 'authorization_decision' || typeof id !== 'string' || memberOf(entry.source, 'vantage') === 'reported')
    return undefined
  return { id, isOurs: memberOf(entry.human_decision, 'channel') === NAME && memberOf(entry.human_decision, 'approved') !== undefined }
}

const approvalOf = ({ metadata }: RecordedEvent, name: string) => memberOf(memberOf(metadata, 'approval'), name)
