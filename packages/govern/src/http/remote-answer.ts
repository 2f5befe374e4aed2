/**
 * What a validation server answered, as a verdict. Hostile input: bounded, parsed once, nothing of it is trusted
 * beyond its decision and its words. Source: AIP v1alpha2 §6.2.2, §6.2.3.
 * @module
 */
import { type Action, REASON_CODES, type Verdict } from '@sworn/recorder'
import { z } from 'zod'
import { allow, ask, deny, type Refusal } from '../gate/verdicts.ts'
import { readJson } from './body.ts'

const LIMITS = { bytes: 65_536, timeMs: 5000 }
const text = z.string().max(2000)

const decided = z.object({
  decision: z.enum(['allow', 'block', 'ask']),
  reason: text.optional(),
  violations: z
    .array(z.object({ type: text }))
    .max(100)
    .optional(),
})
const refused = z.object({ error: text, reason: text.optional(), token_error: text.optional() })

/** undefined: no answer that can be obeyed, so the server counts as silent. */
export async function parseRemote(response: Response, action: Action): Promise<Verdict | undefined> {
  const { status } = response
  if (status >= 500) {
    await response.body?.cancel()
    return undefined
  }
  const body = await readJson(response.body, LIMITS)
  const value = 'value' in body ? body.value : undefined
  if (status !== 200) return toRefusal(status, refused.safeParse(value).data, action)
  const answer = decided.safeParse(value).data
  return answer && toVerdict(answer, action)
}

function toVerdict({ decision, reason = 'no reason was given', violations = [] }: z.infer<typeof decided>, action: Action): Verdict {
  const subject = { policy: undefined, called: { tool: action.name } }
  const said = `validation server: ${reason}`
  if (decision === 'allow') return { ...allow(subject, 'matched_rule', said, 'server'), violation: violations.length > 0 }
  if (decision === 'ask') return ask(subject, said, 'server')
  const type = violations[0]?.type ?? ''
  const reasonCode = (REASON_CODES as readonly string[]).includes(type) ? type : 'tool_denied'
  return deny(subject, { rpc: 'forbidden', reasonCode, reason: said, matchedRule: 'server', data: { reason } })
}

const RPCS: Readonly<Record<string, Pick<Refusal, 'rpc' | 'reasonCode'>>> = {
  token_required: { rpc: 'tokenRequired', reasonCode: 'identity_missing' },
  token_invalid: { rpc: 'tokenInvalid', reasonCode: 'identity_invalid' },
  token_revoked: { rpc: 'tokenRevoked', reasonCode: 'identity_revoked' },
  rate_limited: { rpc: 'rate', reasonCode: 'rate_limited' },
}
const OTHER = { rpc: 'forbidden', reasonCode: 'malformed_request' } as const

/** A client error is an answer: the call is refused, in every failover mode. */
function toRefusal(status: number, body: z.infer<typeof refused> | undefined, action: Action): Verdict {
  const known = (body && Object.hasOwn(RPCS, body.error) ? RPCS[body.error] : undefined) ?? OTHER
  const reason = body?.reason ?? `the validation server answered ${status}`
  const data = { reason, ...(body?.token_error !== undefined && { token_error: body.token_error }) }
  return deny({ policy: undefined, called: { tool: action.name } }, { ...known, reason, matchedRule: 'server', data })
}
