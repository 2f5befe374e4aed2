/**
 * A session: one agent's tokens, one after the other. Each is recorded, and begun at the counter, before anybody
 * has it; none is made once the session was ended or revoked, by whichever process. Source: AIP v1alpha2 §5.4, §5.5.
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { SwornError } from '@sworn/recorder'
import type { Policy } from '../policy/types.ts'
import { issuedEvent } from './events.ts'
import type { Room } from './room.ts'
import { formatToken, tokenId } from './token.ts'
import type { Binding, Claims, IdentityRules, IssuedToken } from './types.ts'

export interface Session {
  readonly id: string
  /**
   * The current token while nobody presented it, it is younger than rotation_interval and the policy is the same;
   * else the next one. Calls that may run beside each other ask for a `fresh` one each: a token counts once.
   * @throws SwornError ACTION_DENIED when the session was ended or revoked, and what `record` and `reserve` reject with
   */
  token(options?: { fresh?: boolean }): Promise<IssuedToken>
  /** No token of it counts any more. @throws what `reserve` rejects with */
  end(): Promise<void>
}

export const sessionKey = (id: string): string => `identity:session:${tokenId(id)}`
export const nonceKey = (prefix: string, id: string): string => `${prefix}${id}`

/** @throws SwornError ACTION_DENIED when the counter does not begin it; what `reserve` rejects with */
export async function openSession(room: Room, id: string = randomUUID()): Promise<Session> {
  room.governing()
  if (!(await room.marks.begin(sessionKey(id)))) throw denied('the session was begun before, or cannot be counted')
  let current: IssuedToken | undefined
  let turn: Promise<unknown> = Promise.resolve() // one at a time: two rotations of one token would be one too many

  async function next(fresh: boolean): Promise<IssuedToken> {
    const old = current
    if (old && !fresh && (await isUsable(room, old))) return old
    const issued = await issue(room, id, old)
    current = issued
    return issued
  }

  return {
    id,
    token({ fresh = false } = {}) {
      const issued = turn.then(() => next(fresh))
      turn = issued.catch(() => {})
      return issued
    },
    end: async () => void (await room.marks.end(sessionKey(id))),
  }
}

const denied = (why: string) => new SwornError('ACTION_DENIED', why, 'identity')

async function isUsable({ governing, now, marks }: Room, { claims, id, sessionId }: IssuedToken): Promise<boolean> {
  const { policy, rules } = governing()
  const age = now() - Date.parse(claims.issued_at)
  const young = age >= 0 && age < (rules.rotationMs || rules.tokenTtlMs) && now() < Date.parse(claims.expires_at)
  if (!young || policy.hash !== `sha256:${claims.policy_hash}`) return false
  const lives = await marks.look([sessionKey(sessionId), nonceKey(rules.noncePrefix, id)])
  return lives.every((life) => life === 'live')
}

/** Counted, then recorded, then handed out: a crash in between leaves a token that nobody has. */
async function issue(room: Room, sessionId: string, old?: IssuedToken): Promise<IssuedToken> {
  const { policy, rules } = room.governing()
  const claims = createClaims({ policy, rules, sessionId, binding: room.binding, nowMs: room.now() })
  const id = tokenId(claims.nonce)
  const text = await formatToken(claims, room.keys.signing())
  await begin(room, sessionId, nonceKey(rules.noncePrefix, id))
  const issued = { text, id, sessionId, expiresAt: claims.expires_at, claims }
  await room.record(issuedEvent(policy, issued, old))
  return issued
}

/**
 * Begins a nonce under its session. A session that the counters forgot goes on, because it is ours and the record does
 * not say that it was revoked; its earlier tokens stay forgotten, and count for nothing.
 */
async function begin({ marks, revokedOnRecord }: Room, sessionId: string, nonce: string): Promise<void> {
  const key = sessionKey(sessionId)
  const session = await marks.beginUnder(key, nonce)
  if (session === 'live') return
  const isOver = session === 'ended' || (await revokedOnRecord(sessionId))
  await marks.begin(key)
  if (!isOver) return
  await marks.end(key) // the record is asked once
  throw denied('the session was ended or revoked')
}

interface ClaimsOf {
  readonly policy: Policy
  readonly rules: IdentityRules
  readonly sessionId: string
  readonly binding: Binding
  readonly nowMs: number
}

function createClaims({ policy, rules, sessionId, binding, nowMs }: ClaimsOf): Claims {
  const expiresMs = nowMs + rules.tokenTtlMs
  return {
    version: 'aip/v1alpha2',
    aud: rules.audience,
    policy_hash: policy.hash.slice('sha256:'.length),
    session_id: sessionId,
    agent_id: policy.name,
    issued_at: new Date(nowMs).toISOString(),
    expires_at: new Date(expiresMs).toISOString(),
    nonce: randomBytes(16).toString('hex'),
    binding,
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor(expiresMs / 1000),
  }
}
