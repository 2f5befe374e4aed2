/**
 * What somebody else told is a claim: it may say anything, so no budget and no rate is counted by it.
 * @module
 */

/** Whether a record says that it was told, over HTTP or by an import. */
export function isReported(payload: unknown): boolean {
  return memberOf(memberOf(payload, 'source'), 'vantage') === 'reported'
}

/** undefined where there is no such member. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined // an object, by the line above
}
