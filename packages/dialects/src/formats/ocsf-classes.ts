/**
 * Which OCSF class an event is, and the objects that the classes ask for.
 * Source: OCSF 1.9.0-dev, commit a5cfc68e (spec interop §3.5).
 * @module
 */
import { asText, type JsonObject } from '@sworn/verify'
import { own, part, section } from '../codecs/values.ts'
import type { Event } from '../members.ts'

export interface ClassOf {
  readonly class_uid: number
  readonly class_name: string
  readonly activity_id: number
  /** What this class requires besides. */
  readonly fields: JsonObject
}

const OTHER = 99
const ACTIVITIES: Readonly<Record<string, number>> = {
  data_access: 2,
  data_modification: 3,
  identity_token_issued: 1,
  identity_token_rotated: 3,
  identity_token_revoked: 4,
  session_start: 3,
  session_end: 4,
  auth_success: 1,
  auth_failure: 1,
  dlp_match: 1,
  security_alert: 1,
}
const LIFECYCLE = ['session_start', 'session_end', 'instrumentation_report', 'observation_gap']

/** The class of an event; API Activity for everything that an agent does. */
export function classOf(event: Event): ClassOf {
  const { event_type } = event
  const is = (class_uid: number, class_name: string, fields: JsonObject = {}): ClassOf => ({
    class_uid,
    class_name,
    activity_id: own(ACTIVITIES, event_type) === undefined ? OTHER : ACTIVITIES[event_type]!,
    fields,
  })
  const finding = { finding_info: { uid: event.event_id ?? '', title: titleOf(event) } }
  if (event_type === 'dlp_match')
    return is(2006, 'Data Security Finding', { ...finding, data_security: { pattern_match: event.pattern ?? '' } })
  if (event_type === 'security_alert') return is(2004, 'Detection Finding', finding)
  if (event_type.startsWith('auth_')) return is(3002, 'Authentication', { user: section({ uid: event.user }) ?? { name: 'none' } })
  if (event_type.startsWith('identity_token_'))
    return is(3004, 'Entity Management', { entity: section({ uid: event.token_id, type: 'token' }) ?? {} })
  if (LIFECYCLE.includes(event_type) || event_type.startsWith('config_'))
    return is(6002, 'Application Lifecycle', { app: { name: 'sworn' } })
  return is(6003, 'API Activity')
}

function titleOf({ event_type, pattern, reason }: Event): string {
  const detail = pattern ?? reason
  return typeof detail === 'string' ? detail : event_type
}

/** The `ai_operation` profile: the agent, its model, the message. */
export function agentFields(event: Event): JsonObject {
  const agent = part(event, 'agent')
  const usage = part(event, 'usage')
  const [prompt, completion] = [own(usage, 'input_tokens'), own(usage, 'output_tokens')]
  const model = section({ name: event.model, ai_provider: event.provider })
  const ai_agent = section({
    uid: event.agent_id,
    name: own(agent, 'name'),
    instance_uid: own(agent, 'instance'),
    version: own(agent, 'version'),
    ...(own(agent, 'framework') !== undefined && { type_id: OTHER, type: own(agent, 'framework') }),
    ai_model: model,
  })
  const message_context = section({
    ...(event.tool !== undefined && { ai_role_id: 3, uid: event.correlation_id }),
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: typeof prompt === 'number' && typeof completion === 'number' ? prompt + completion : undefined,
  })
  return section({ ai_agent, ai_model: model, message_context }) ?? {}
}

/** The `security_control` profile: what was decided, under which policy. */
export function policyFields(event: Event): JsonObject {
  const { decision, enforced } = event
  if (decision === undefined) return {}
  const action_id = enforced === false ? 3 : decision === 'allow' ? 1 : decision === 'deny' ? 2 : OTHER
  const policy = section({ name: event.policy_name, version: event.policy_version, uid: event.policy_hash })
  const applied: JsonObject | undefined = policy && { ...policy, is_applied: enforced !== false }
  return section({ action_id, policy: applied, authorizations: [section({ decision, policy: applied }) ?? {}] }) ?? {}
}

/** The API object of a call: every class may carry it, API Activity must. */
export function apiFields(event: Event): JsonObject {
  const api = section({
    operation: event.tool ?? event.method ?? event.event_type,
    service: section({ name: event.server }),
    request: section({ uid: event.rpc_id === undefined ? undefined : asText(event.rpc_id), data: event.arguments }),
    response: section({ data: event.result, error_message: typeof event.error === 'string' ? event.error : undefined }),
  })
  return { api: api ?? {} }
}
