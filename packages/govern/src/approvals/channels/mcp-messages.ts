/**
 * A question in the words of MCP, both eras: `elicitation/create`, and `input_required` with its retry.
 *
 * Pure: builds and reads messages, sends nothing. The answer comes from the client's software, which may be the
 * agent: the record names the channel. Sources: MCP 2025-11-25 (elicitation), 2026-07-28 (multi round-trip
 * requests), spec dependencies §8.3.
 * @module
 */
import type { Answer, ChannelFailure, Question, Scope } from '../types.ts'

/** Name of our entry in `inputRequests` and of its answer in `inputResponses`. */
export const INPUT_KEY = 'sworn_approval'

const WORD_OF: Readonly<Record<Scope, string>> = { once: 'approve', session: 'approve for this session', call: 'approve exactly this call' }
const REFUSE = 'refuse'

export interface ElicitationParams {
  readonly mode: 'form'
  readonly message: string
  readonly requestedSchema: {
    readonly type: 'object'
    readonly properties: { readonly decision: { readonly type: 'string'; readonly title: string; readonly enum: readonly string[] } }
    readonly required: readonly string[]
  }
}

/** `message` is the question's text, byte for byte. */
export function toElicitation({ text, scopes }: Question): ElicitationParams {
  const words = [REFUSE, ...scopes.map((scope) => WORD_OF[scope])]
  const properties = { decision: { type: 'string', title: 'Decision', enum: words } } as const
  return { mode: 'form', message: text, requestedSchema: { type: 'object', properties, required: ['decision'] } }
}

/** The request of the 2025-11-25 era. @param id the proxy's own, which no request of the server has */
export function formatElicitation(question: Question, id: string) {
  return { jsonrpc: '2.0', id, method: 'elicitation/create', params: toElicitation(question) } as const
}

/** Takes the request back: the client may close its form. */
export function formatCancelled(id: string) {
  return { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason: 'settled' } } as const
}

/**
 * The result of the 2026-07-28 era that asks in place of an answer to `tools/call`. `requestState` is the
 * question's id: random, and worth nothing without the question that this process keeps.
 */
export function toInputRequired(question: Question) {
  const elicitation = { method: 'elicitation/create', params: toElicitation(question) } as const
  return { resultType: 'input_required', inputRequests: { [INPUT_KEY]: elicitation }, requestState: question.id } as const
}

/** true when the client says that it shows forms; an empty `elicitation` means forms. */
export function canElicit(capabilities: unknown): boolean {
  const elicitation = memberOf(capabilities, 'elicitation')
  if (typeof elicitation !== 'object' || elicitation === null) return false
  return Object.keys(elicitation).length === 0 || typeof memberOf(elicitation, 'form') === 'object'
}

/** What an `ElicitResult` says about the question. Hostile input; total. */
export function parseElicitResult(question: Question, result: unknown, approver?: string): Answer | ChannelFailure {
  const action = memberOf(result, 'action')
  if (action === 'decline') return toAnswer(question, undefined, approver)
  if (action === 'cancel') return 'dismissed'
  if (action !== 'accept') return 'unusable_answer'
  const decision = memberOf(memberOf(result, 'content'), 'decision')
  const scope = question.scopes.find((candidate) => WORD_OF[candidate] === decision)
  return scope || decision === REFUSE ? toAnswer(question, scope, approver) : 'unusable_answer'
}

function toAnswer({ id, shownHash }: Question, scope: Scope | undefined, approver: string | undefined): Answer {
  const said = { id, shownHash, approved: scope !== undefined, scope: scope ?? 'once' } as const
  return approver === undefined ? said : { ...said, approver }
}

/** A retry's members; undefined when `params` carries no answer to a question of ours. */
export function parseRetry(params: unknown): { readonly id: string; readonly result: unknown } | undefined {
  const id = memberOf(params, 'requestState')
  const result = memberOf(memberOf(params, 'inputResponses'), INPUT_KEY)
  return typeof id === 'string' && /^[0-9a-f]{32}$/.test(id) && result !== undefined ? { id, result } : undefined
}

export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined // an object: checked
}
