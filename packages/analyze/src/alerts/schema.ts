/**
 * The `audit.alerts` section of `sworn.yaml`, checked: every filter compiles, every name is one rule's.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { z } from 'zod'
import { BUILT_IN } from './built-in.ts'
import { compileRule } from './compile.ts'
import { actionSchema, KINDS, type Rule, ruleSchema } from './rule.ts'

const BUILT_IN_NAMES: readonly string[] = BUILT_IN.map(({ name }) => name)
/** Names of what is said about rules. */
const OWN_NAMES: readonly string[] = ['alerts_held', 'counts_forgotten']

const OF_CALLS: readonly string[] = ['session_id', 'tool']
/** What is known of a call that is missed, and of a session. */
const OF_UNSEEN: Readonly<Record<NonNullable<Rule['unseen']>, readonly string[]>> = {
  no_outcome: OF_CALLS,
  announced_not_recorded: OF_CALLS,
  no_hook: ['session_id', 'client'],
}

export const alertsSchema = z
  .strictObject({
    enabled: z.boolean().describe('false: no alerts are looked for as the ledger grows.'),
    disable: z
      .array(z.string())
      .max(64)
      .describe(`Built-in rules that are left out: ${BUILT_IN_NAMES.join(', ')}.`),
    rules: z.array(ruleSchema).max(64).describe('Rules besides the built-in ones; see docs/guides/alerts.md.'),
    actions: z.array(actionSchema).max(16).describe('What is run for each alert that is recorded.'),
  })
  .partial()
  .superRefine(({ disable = [], rules = [] }, context) => {
    for (const [i, name] of disable.entries()) {
      if (!BUILT_IN_NAMES.includes(name)) refuse(context, ['disable', i], `one of ${BUILT_IN_NAMES.join(', ')} was expected`)
    }
    for (const [i, rule] of rules.entries()) {
      const fault = faultOf(rule, rules.slice(0, i))
      if (fault !== undefined) refuse(context, ['rules', i], fault)
    }
  })
  .describe('Rules that look for what is not normal; those that are built in are on.')

/** For the configuration: what checks the section, and its words for suggestions. */
export const ALERTS_ROOM = {
  schema: alertsSchema,
  members: [...new Set([alertsSchema, ruleSchema, actionSchema].flatMap(({ shape }) => Object.keys(shape)))],
}

function faultOf(rule: Rule, before: readonly Rule[]): string | undefined {
  const taken = [...BUILT_IN_NAMES, ...OWN_NAMES, ...before.map(({ name }) => name)]
  if (taken.includes(rule.name)) return 'a name that no other rule has was expected'
  const kinds = KINDS.filter((kind) => rule[kind] !== undefined)
  if (kinds.length > 1) return `one of ${kinds.join(', ')} was expected, not both`
  if (rule.unseen && (rule.events || rule.when)) return 'unseen looks at every event, without `events` and `when`'
  const known = rule.unseen && OF_UNSEEN[rule.unseen]
  if (known && rule.by?.some((member) => !known.includes(member))) return `${rule.unseen} counts by ${known.join(' and ')}`
  if (rule.silence && rule.events) return 'silence looks at every event; name the types in `when`'
  try {
    compileRule(rule, () => {})
    return undefined
  } catch (e) {
    if (SwornError.is(e, 'FILTER_INVALID')) return `a filter is not valid: ${e.message}`
    throw e
  }
}

function refuse(context: z.core.$RefinementCtx, path: (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path, message })
}
