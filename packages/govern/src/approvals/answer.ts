/**
 * What came in as an answer, checked: hostile input from clients, sockets and programs.
 * @module
 */
import { type Answer, SCOPES, type Scope } from './types.ts'

const MAX_ID = 64
const MAX_HASH = 80
export const MAX_APPROVER = 256
export const MAX_REASON = 1000

const isText = (value: unknown, max: number): value is string => typeof value === 'string' && value.length <= max
const isTextOrAbsent = (value: unknown, max: number): value is string | undefined => value === undefined || isText(value, max)
const isScope = (value: unknown): value is Scope => (SCOPES as readonly unknown[]).includes(value)

/** undefined when it is not an answer: a member is missing, of another type or beyond its bound. Total. */
export function parseAnswer(value: unknown): Answer | undefined {
  try {
    if (typeof value !== 'object' || value === null) return undefined
    const { id, shownHash, approved, scope, approver, reason } = value as Record<string, unknown> // an object: checked above
    if (!isText(id, MAX_ID) || !isText(shownHash, MAX_HASH) || typeof approved !== 'boolean' || !isScope(scope)) return undefined
    if (!isTextOrAbsent(approver, MAX_APPROVER) || !isTextOrAbsent(reason, MAX_REASON)) return undefined
    return { id, shownHash, approved, scope, ...(approver !== undefined && { approver }), ...(reason !== undefined && { reason }) }
  } catch {
    return undefined // a getter or Proxy threw
  }
}
