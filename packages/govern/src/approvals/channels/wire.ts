/**
 * A question and an answer as JSON, for what travels: webhook and approval API.
 *
 * An answer says what it is (`type`), so that a question sent back is none. Unknown members are refused.
 * @module
 */
import { type BodyFault, readBody } from '@sworn/recorder/http'
import { z } from 'zod'
import { MAX_APPROVER, MAX_REASON } from '../answer.ts'
import { type Question, SCOPES } from '../types.ts'

/** Bytes of an answer's body. */
export const MAX_BODY = 16_384

export function toWire({ id, text, shownHash, askedAt, expiresAt, scopes }: Question): Readonly<Record<string, unknown>> {
  return { id, text, shown_hash: shownHash, asked_at: askedAt, expires_at: expiresAt, scopes }
}

const decision = {
  shown_hash: z.string().max(80),
  approved: z.boolean(),
  scope: z.enum(SCOPES).default('once'),
  reason: z.string().max(MAX_REASON).optional(),
}
const bodies = {
  webhook: z.strictObject({
    type: z.literal('approval.answer'),
    id: z.string().max(64),
    approver: z.string().max(MAX_APPROVER),
    ...decision,
  }),
  api: z.strictObject(decision),
}

/** What `parseAnswer` reads, from the body of a webhook's answer; undefined when it is none. */
export function fromWebhook(body: string): unknown {
  const read = bodies.webhook.safeParse(parseJson(body))
  if (!read.success) return undefined
  const { shown_hash: shownHash, type: _type, ...rest } = read.data
  return { shownHash, ...rest }
}

/** The same from a request to the API; the id is the path's and the approver is whoever the token names. */
export function fromApi(body: string, id: string, approver: string): unknown {
  const read = bodies.api.safeParse(parseJson(body))
  if (!read.success) return undefined
  const { shown_hash: shownHash, ...rest } = read.data
  return { id, shownHash, approver, ...rest }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** The text of a body, or why there is none: beyond `MAX_BODY` bytes or `timeMs`, no UTF-8, or cut off. */
export async function readText(
  body: ReadableStream<Uint8Array> | null,
  timeMs: number,
): Promise<{ readonly text: string } | { readonly fault: BodyFault }> {
  const bytes = await readBody(body, { bytes: MAX_BODY, timeMs })
  if (typeof bytes === 'string') return { fault: bytes }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { fault: 'broken' }
  }
}
