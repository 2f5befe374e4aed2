/**
 * Identity tokens of one proxied session: a call brings one, and its answer brings the next.
 *
 * Over stdio they travel in `_meta`, over HTTP in a header field; one in a body over HTTP is refused, because bodies end
 * up in logs. The server sees none, and cannot put one into an answer. What is handed out was recorded before.
 * Source: policy.md §6.2 step 1; AIP v1alpha2 §5.4, §6.2.1.
 * @module
 */
import type { TokenFacts } from '@sworn/govern/identity'
import { type AuditEvent, asText, type Verdict } from '@sworn/recorder'
import { isMembers, type Members, type Message, memberOf } from '../frames/read.ts'
import { formatChanged } from '../frames/write.ts'
import { membersOf, metaOf, type Pending, type Session } from './session.ts'

/** Member of `_meta` that holds a token. */
export const TOKEN_KEY = 'io.aip/identity-token'

/** Requests whose answer brings a token that nobody had: how a client gets its first one, and another after a refusal. */
const ASKING = new Set(['initialize', 'server/discover', 'tools/list'])

/** True while the policy in force enables identity. */
export function takesTokens({ tokens }: Session): boolean {
  return tokens?.desk.rules() !== undefined
}

/** A message of the client without its token, as the server may see it. */
export interface Parted {
  readonly message: Message
  readonly line: Buffer
  readonly token?: string
}

export function partToken(session: Session, message: Message, line: Buffer): Parted {
  if (message.kind === 'response' || !takesTokens(session)) return { message, line }
  const meta = metaOf(message.params)
  if (!Object.hasOwn(meta, TOKEN_KEY)) return { message, line }
  const { [TOKEN_KEY]: token, ...rest } = meta
  const params = { ...message.params, _meta: rest }
  return { message: { ...message, params }, line: formatChanged(line, ['params'], params), token: asText(token) }
}

/** The refusal of a call whose token does not count; the token is spent here. Never rejects. */
export async function judgeToken(session: Session, call: Pending): Promise<Verdict | undefined> {
  const { tokens, beside } = session
  if (!tokens || !takesTokens(session)) return undefined
  const own = await tokens.open().catch(() => undefined) // a counter that does not answer says so when it is asked
  const token = beside ? beside.find(call.id).token : call.token
  const misplaced = beside !== undefined && call.token !== undefined
  const presented = { token, misplaced, sessionId: own?.id ?? '' }
  const { check, refusal, rejected } = await tokens.desk.judge(presented, call.tool ?? '')
  if (check?.facts) call.shown = check.facts
  if (rejected) noteRejected(session, call, rejected, check?.facts)
  return refusal
}

/** The session is the one in which the token was shown, whichever it belongs to. */
function noteRejected(session: Session, call: Pending, event: AuditEvent, facts: TokenFacts | undefined): void {
  const { session_id: _token, metadata, ...rest } = event
  const about = facts && { presented_session: facts.sessionId }
  session.audit.note({ ...membersOf(session, call), ...rest, metadata: { ...(metadata as Members), ...about } }) // the judge's own
}

/** True for a request whose answer brings a token, whether or not it came with one. */
export function bringsToken(session: Session, method: string): boolean {
  return ASKING.has(method) && takesTokens(session)
}

/**
 * Gets what the answer hands out: another token for one that was shown or asked for, else what is new since the last.
 * Where none can be recorded the answer goes alone: the recorder says why. Never rejects.
 */
export async function prepareToken(session: Session, call: Pending): Promise<void> {
  const { tokens, beside } = session
  if (!tokens || !takesTokens(session)) return
  try {
    const issued = await (await tokens.open()).token({ fresh: call.shown !== undefined || ASKING.has(call.method) })
    if (tokens.given === issued.id) return
    tokens.given = issued.id
    if (beside) beside.give(call.id, issued.text)
    else call.handOut = issued.text
  } catch {
    // ACTION_DENIED of a session that was revoked, or a record that could not be made
  }
}

/** An answer's result with our token, or at least without one of the server's. */
export function withToken(session: Session, call: Pending | undefined, result: unknown): unknown {
  if (!takesTokens(session) || !isMembers(result)) return result
  const meta = memberOf(result, '_meta')
  const { [TOKEN_KEY]: theirs, ...rest } = isMembers(meta) ? meta : {}
  if (call?.handOut !== undefined) return { ...result, _meta: { ...rest, [TOKEN_KEY]: call.handOut } }
  return theirs === undefined ? result : { ...result, _meta: rest }
}

/** The session is over: none of its tokens counts any more. Never rejects. */
export async function endTokens({ tokens }: Session): Promise<void> {
  if (tokens?.given === undefined) return
  try {
    await (await tokens.open()).end()
  } catch {
    // its tokens end by themselves
  }
}
