/**
 * Alert rules as data: the `audit.alerts` section of `sworn.yaml`, and the built-in rules have the same shape.
 *
 * Nothing here is compiled; a filter that is no CEL is refused by `alertsSchema` (schema.ts). Source: docs/guides/alerts.md.
 * @module
 */
import { z } from 'zod'

const duration = z.string().refine((text) => /^[1-9]\d{0,4}[smhd]$/.test(text), 'a duration like 90s, 15m, 1h or 14d was expected')
const name = z
  .string()
  .refine((text) => /^[a-z][a-z0-9_]{0,63}$/.test(text), 'a name of at most 64 lowercase letters, digits and _ was expected')
const member = z
  .string()
  .refine((text) => /^[A-Za-z_][\w-]{0,63}(\.[A-Za-z_][\w-]{0,63}){0,3}$/.test(text), 'a member like user or metadata.package was expected')
const filter = z.string().min(1).max(4096)
const limit = z.number().min(0).max(1e12)

export const severitySchema = z.enum(['debug', 'info', 'warning', 'error', 'critical'])

/** Ways to judge; a rule has at most one of them, and without one alerts on each event that it looks at. */
export const KINDS = ['threshold', 'rate', 'ratio', 'sequence', 'first_seen', 'deviation', 'silence', 'unseen'] as const

export const ruleSchema = z.strictObject({
  name: name.describe('Recorded as metadata.rule.'),
  severity: severitySchema.optional().describe('Of the alert; default warning.'),
  events: z.array(z.string().min(1).max(128)).min(1).max(64).optional().describe('Event types it looks at; default all but log.*.'),
  when: filter.optional().describe('CEL: the events it looks at, of those types.'),
  by: z
    .array(member)
    .max(4)
    .optional()
    .describe('Members that tell one count from another; `agent` is agent_id or agent.name. Default: one count for the ledger.'),
  window: duration.optional().describe('Default 1h.'),
  cool_down: duration.optional().describe('One alert of a count in this time; default: the window.'),
  threshold: z.strictObject({ more_than: limit, sum: member.optional().describe('Of this number, instead of the count.') }).optional(),
  rate: z.strictObject({ more_than: limit, per: duration }).optional().describe('Events per time, as the mean over the window.'),
  ratio: z
    .strictObject({ of: filter.describe('CEL.'), more_than: z.number().min(0).max(1), at_least: z.int().min(1).max(1e9) })
    .optional()
    .describe('The part of at least so many events for which `of` holds.'),
  sequence: z.array(filter).min(2).max(8).optional().describe('CEL of each step, in the order of the ledger, within the window.'),
  first_seen: z
    .strictObject({
      of: member.describe('A member; `hour` of the day in UTC; `target_place`: host, or first two directories.'),
      after: duration.describe('Nothing is new before the count is so old'),
      at_least: z.int().min(1).max(1e9).optional().describe('and has so many events; default 1.'),
    })
    .optional(),
  deviation: z
    .strictObject({
      of: member.optional().describe('The mean of this number, instead of the count.'),
      factor: z.number().min(1).max(1000).describe('So many standard deviations above the windows before.'),
      windows: z.int().min(3).max(1000).describe('How many windows before are the baseline.'),
      at_least: z.int().min(1).max(1e9).describe('Events in the window.'),
    })
    .optional(),
  silence: z.literal(true).optional().describe('After an event that it looks at, nothing else of that count within the window.'),
  unseen: z
    .enum(['no_outcome', 'announced_not_recorded', 'no_hook'])
    .optional()
    .describe(
      'Tool calls that began and have no outcome, or that a model asked for and nobody recorded: when the turn or the session is over, at the latest after the window. no_hook: sessions of Claude Code and Codex that their telemetry tells of and no hook, before or within the window.',
    ),
})

/** One rule as it is written. */
export type Rule = z.infer<typeof ruleSchema>

export const actionSchema = z.strictObject({
  command: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(64)
    .describe('Program and arguments; no shell. The alert is one line of JSON on stdin.'),
  severity: severitySchema.optional().describe('This severity or above; default: every alert.'),
  rules: z.array(name).min(1).max(256).optional().describe('Of these rules only.'),
  timeout_s: z.int().min(1).max(300).optional().describe('Then it is killed; default 10.'),
})

export type Action = z.infer<typeof actionSchema>

/** What `audit.alerts` says. */
export interface AlertsSection {
  readonly enabled?: boolean | undefined
  readonly disable?: readonly string[] | undefined
  readonly rules?: readonly Rule[] | undefined
  readonly actions?: readonly Action[] | undefined
}
