/**
 * What an HTTP answer means for what was sent. Nothing of its text is repeated: it could hold what was sent.
 *
 * Source: RFC 9110 §15 (status), §10.2.3 (Retry-After).
 * @module
 */
import { isJsonObject, type JsonValue } from '@sworn/verify'
import { allAgain, type Item, type Outcome, type Probed } from './sink.ts'

export interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  /** At most 1 MiB, where nothing else was asked for. */
  readonly text: string
}

/** Only another request could be accepted: with other entries, or fewer. The rest is the operator's to mend. */
const REFUSED: ReadonlySet<number> = new Set([400, 413, 414, 415, 422])

/** Undefined for 2xx: what that says is the sink's own to judge. @param now milliseconds since 1970 */
export function judgeStatus(items: readonly Item[], { status, retryAfter }: Answer, now: number): Outcome | undefined {
  if (status >= 200 && status < 300) return undefined
  if (REFUSED.has(status)) return { whole: `HTTP ${status}` }
  if (status >= 300 && status < 400) return allAgain(items, `HTTP ${status}: redirects are not followed`)
  return allAgain(items, `HTTP ${status}`, retryAfterMs(retryAfter, now))
}

/** Seconds, or a date. */
function retryAfterMs(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** The JSON of an answer; undefined when it is none. */
export function jsonOf({ text }: Answer): JsonValue | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** True for a 2xx whose body says the opposite, in one of the usual ways. */
export function saysFailure(answer: Answer): boolean {
  const body = jsonOf(answer)
  if (!isJsonObject(body)) return false
  const { error, errors, success, ok, status } = body
  if (success === false || ok === false || status === 'error' || status === 'failed') return true
  return isSomething(error) || isSomething(errors)
}

function isSomething(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return false
  return !Array.isArray(value) || value.length > 0
}

/** What an HTTP answer says is wrong, and what to do. */
export function wrongAnswer({ status }: Answer): Probed {
  const hint = hintOfStatus(status)
  return { wrong: hint === undefined ? `HTTP ${status}` : `HTTP ${status}: ${hint}` }
}

function hintOfStatus(status: number): string | undefined {
  if (status === 401 || status === 403) return 'the credentials are not accepted; correct them'
  if (status === 404 || status === 410) return 'there is nothing at this address; correct it'
  if (status === 429) return 'too many requests; try again later'
  if (status >= 300 && status < 400) return 'redirects are not followed; name the address that it leads to'
  if (status >= 500) return 'the other side is in trouble'
  return status < 300 ? 'it says yes and means no' : undefined
}
