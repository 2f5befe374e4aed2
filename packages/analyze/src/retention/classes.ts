/**
 * How long an entry is kept: the longest of all classes that it falls into.
 *
 * What falls into no class is kept `retention_days`, and for ever without that. Nothing is dropped because a setting
 * is missing. Source: docs/guides/erasure-and-retention.md.
 * @module
 */
import { type AuditBlock, EVENT_GROUPS, EVENT_TYPES } from '@sworn/recorder'
import { FRAMEWORK_DAYS } from '@sworn/recorder/schemas'
import { asText, SwornError } from '@sworn/verify'
import type { Entry } from '../reading/entry.ts'

export type RetentionBlock = NonNullable<AuditBlock['retention']>
type RetentionClass = NonNullable<RetentionBlock['classes']>[number]

export interface Retention {
  /** For log.prune: what decided. */
  readonly policy: string
  /** Days from its time on; Infinity: for ever. Records of the ledger's own: none, they go with their segment. */
  keepDays(entry: Entry): number
}

/** @throws SwornError CONFIG_INVALID for an unknown event type or group */
export function createRetention({ retention_days: rest, retention }: Pick<AuditBlock, 'retention_days' | 'retention'>): Retention {
  const classes = (retention?.classes ?? []).map(toClass)
  return {
    policy: [...classes.map(({ name }) => name), rest === undefined ? 'others for ever' : `others ${rest} d`].join(', '),
    keepDays(entry) {
      if (asText(entry.event_type).startsWith('log.')) return 0
      const own = classes.filter(({ holds }) => holds(entry)).map(({ days }) => days)
      return own.length > 0 ? Math.max(...own, rest ?? 0) : (rest ?? Number.POSITIVE_INFINITY)
    },
  }
}

function toClass({ events, risk, framework, days }: RetentionClass, index: number) {
  const types = events && new Set(events.flatMap((name) => typesOf(name, index)))
  const kept = Math.max(days ?? 0, framework ? FRAMEWORK_DAYS[framework] : 0)
  const words = [framework, events?.join('+'), risk && `risk ${risk.join('+')}`, `${kept} d`]
  return {
    days: kept,
    name: words.filter((word) => word !== undefined).join(' '),
    holds: ({ event_type: type, risk_level: level }: Entry) =>
      (!types || types.has(asText(type))) && (!risk || (risk as readonly unknown[]).includes(level)), // four words among whatever a line says
  }
}

function typesOf(name: string, index: number): readonly string[] {
  if (Object.hasOwn(EVENT_GROUPS, name)) return EVENT_GROUPS[name as keyof typeof EVENT_GROUPS] // hasOwn checked it
  if ((EVENT_TYPES as readonly string[]).includes(name)) return [name]
  throw new SwornError('CONFIG_INVALID', 'an event type or a group was expected', `audit.retention.classes.${index}.events`)
}
