/**
 * A rule as what judges entries.
 * @module
 */
import { hash } from 'node:crypto'
import { compileFilter } from '@sworn/dialects/filter'
import type { Severity } from '../columns.ts'
import type { Entry } from '../reading/entry.ts'
import { createRate, createRatio, createThreshold } from './counting.ts'
import { durationMs } from './duration.ts'
import { type AnyJudge, anyJudge, valueAt } from './judge.ts'
import { createDeviation, createFirstSeen } from './learning.ts'
import { createSequence } from './order.ts'
import type { Rule } from './rule.ts'

export interface CompiledRule {
  readonly name: string
  readonly severity: Severity
  /** Undefined: all types but those of the ledger. */
  readonly events: readonly string[] | undefined
  readonly window: string
  readonly windowMs: number
  readonly coolDownMs: number
  /** Changes with everything that the rule says. */
  readonly digest: string
  matches(entry: Entry): boolean
  /** The values that tell its counts apart, in the order of `by`. */
  groupOf(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, string>>
  /** What it looks for of calls and sessions, which the engine does. */
  readonly unseen: Rule['unseen']
  /** Undefined: it looks for silence, calls or sessions, which the engine does. */
  readonly judge: AnyJudge | undefined
}

const MAX_VALUE = 200

/**
 * @param onForgotten told when a judge forgets a value because it knows too many
 * @throws SwornError FILTER_INVALID
 */
export function compileRule(rule: Rule, onForgotten: () => void): CompiledRule {
  const { name, severity = 'warning', events, when, by = [], window = '1h', cool_down: coolDown = window, silence, unseen } = rule
  const groups = by.map((member) => ({ member, place: member.split('.') }))
  const windowMs = durationMs(window)
  return {
    name,
    severity,
    events,
    window,
    windowMs,
    coolDownMs: durationMs(coolDown),
    digest: hash('sha256', JSON.stringify(rule), 'hex').slice(0, 16),
    matches: when === undefined ? () => true : compileFilter(when),
    groupOf: (entry) => Object.fromEntries(groups.map(({ member, place }) => [member, groupValue(entry, place)])),
    unseen,
    judge: silence || unseen ? undefined : createJudge(rule, { window, windowMs, onForgotten }),
  }
}

interface Place {
  readonly window: string
  readonly windowMs: number
  readonly onForgotten: () => void
}

function createJudge(rule: Rule, { window, windowMs, onForgotten }: Place): AnyJudge {
  const { threshold = { more_than: 0 }, rate, ratio, sequence, first_seen: firstSeen, deviation } = rule
  if (rate) return anyJudge(createRate(windowMs, rate.more_than, { ms: durationMs(rate.per), text: rate.per }))
  if (ratio) {
    const holds = compileFilter(ratio.of)
    return anyJudge(createRatio(windowMs, window, { holds: ({ entry }) => holds(entry), more: ratio.more_than, atLeast: ratio.at_least }))
  }
  if (sequence) {
    const steps = sequence.map(compileFilter).map(
      (holds) =>
        ({ entry }: { entry: Entry }) =>
          holds(entry),
    )
    return anyJudge(createSequence(windowMs, window, steps))
  }
  if (firstSeen) {
    const { of, after, at_least: atLeast = 1 } = firstSeen
    return anyJudge(createFirstSeen({ of, place: of.split('.'), afterMs: durationMs(after), atLeast }, onForgotten))
  }
  if (deviation) {
    const { of, factor, windows, at_least: atLeast } = deviation
    return anyJudge(createDeviation({ windowMs, window, place: of?.split('.'), factor, windows, atLeast }))
  }
  return anyJudge(createThreshold(windowMs, window, threshold.more_than, threshold.sum?.split('.')))
}

/** Long values are told apart by a hash of all of them. */
function groupValue(entry: Readonly<Record<string, unknown>>, place: readonly string[]): string {
  const value = place[0] === 'agent' && place.length === 1 ? (entry.agent_id ?? valueAt(entry, ['agent', 'name'])) : valueAt(entry, place)
  if (value === undefined || value === null || typeof value === 'object') return ''
  const text = String(value)
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 20)}…${hash('sha256', text, 'hex').slice(0, 16)}`
}
