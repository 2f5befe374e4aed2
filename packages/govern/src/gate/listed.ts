/**
 * A tool as its server lists it: what is described otherwise than the policy names it is kept from the client, because the
 * description alone can poison an agent. Monitor mode lets it pass as a violation. Source: spec policy §6.1 (`schema_hash`).
 * @module
 */
import type { ListedTool, Verdict } from '@sworn/recorder'
import { normalizeName } from '../names.ts'
import { checkSchema, type Setup } from './checks.ts'
import { allow, allowViolation, deny, type Subject } from './verdicts.ts'

export function judgeListed(setup: Setup, { name, described, redescribed }: ListedTool): Verdict {
  const { policy, profile } = setup
  const subject: Subject = { policy, called: { tool: name } }
  const ruling = checkSchema({ setup, rule: policy?.rules.get(normalizeName(name, profile)), described, redescribed })
  if (!ruling) return allow(subject, 'default_allow', 'The tool may be listed')
  return policy?.mode === 'monitor' ? allowViolation(subject, ruling.refusal) : deny(subject, ruling.refusal)
}
