/**
 * Which data of whom was processed for what: by tool, as a record of processing has it.
 *
 * Names of arguments stand for categories of data: values are never shown. Source: GDPR Art. 15(1), Art. 30(1).
 * @module
 */
import { cutText, membersOf, type Part } from './part.ts'
import { MAX_LISTED } from './tally.ts'
import { formatMoment } from './totals.ts'

/** Of each list of names. */
const MAX_NAMES = 50
/** Persons that are told apart for one purpose. */
const MAX_PEOPLE = 1000

export interface Purpose {
  /** The tool, or the event type of what no tool did. */
  readonly purpose: string
  readonly entries: number
  /** Names of the arguments. */
  readonly categories: readonly string[]
  /** Persons in `user`; `people_more`: there were more than are told apart. */
  readonly people: number
  readonly people_more: boolean
  /** Servers and providers that received it. */
  readonly recipients: readonly string[]
  readonly first: string | null
  readonly last: string | null
}

export interface Processing {
  /** Most entries first, then by name; at most 100. */
  readonly purposes: readonly Purpose[]
  /** Entries of other purposes. */
  readonly others: number
}

interface Held {
  entries: number
  readonly categories: Set<string>
  readonly people: Set<string>
  people_more: boolean
  readonly recipients: Set<string>
  first: number
  last: number
}

const OF_DATA: ReadonlySet<unknown> = new Set([
  ...['authorization_decision', 'tool_call_start', 'tool_call_end', 'tool_call_error', 'data_access', 'data_modification'],
  ...['model_request', 'model_response', 'model_error'],
])

export function createProcessing(): Part<Processing> {
  const held = new Map<string, Held>()
  let others = 0
  return {
    add(entry, { time }) {
      if (!OF_DATA.has(entry.event_type)) return
      const purpose = cutText(entry.tool) ?? cutText(entry.event_type) ?? ''
      const one = held.get(purpose) ?? (held.size < MAX_LISTED ? createHeld() : undefined)
      if (!one) {
        others++
        return
      }
      held.set(purpose, one)
      one.entries++
      for (const name of Object.keys(membersOf(entry.arguments))) addName(one.categories, name)
      addName(one.recipients, entry.server ?? entry.provider)
      const user = cutText(entry.user)
      if (user !== undefined && !one.people.has(user)) {
        if (one.people.size < MAX_PEOPLE) one.people.add(user)
        else one.people_more = true
      }
      one.first = Math.min(one.first, time ?? Number.POSITIVE_INFINITY)
      one.last = Math.max(one.last, time ?? Number.NEGATIVE_INFINITY)
    },
    done: () => ({
      purposes: [...held]
        .map(([purpose, one]) => toPurpose(purpose, one))
        .sort((a, b) => b.entries - a.entries || (a.purpose < b.purpose ? -1 : 1)),
      others,
    }),
  }
}

function createHeld(): Held {
  return {
    entries: 0,
    categories: new Set(),
    people: new Set(),
    people_more: false,
    recipients: new Set(),
    first: Number.POSITIVE_INFINITY,
    last: Number.NEGATIVE_INFINITY,
  }
}

function addName(names: Set<string>, value: unknown): void {
  const name = cutText(value)
  if (name !== undefined && names.size < MAX_NAMES) names.add(name)
}

function toPurpose(purpose: string, { entries, categories, people, people_more, recipients, first, last }: Held): Purpose {
  return {
    purpose,
    entries,
    categories: [...categories].sort(),
    people: people.size,
    people_more,
    recipients: [...recipients].sort(),
    first: formatMoment(first),
    last: formatMoment(last),
  }
}
