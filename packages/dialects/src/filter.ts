/**
 * The event filter: a CEL expression over one event, as `--where`, alert rules and sinks write it.
 *
 * Every member of docs/format.md is a variable, null when the event has none; `event` is the whole event, for
 * members of the caller's own: `event.team == "red"`. Numbers are doubles, `timestamp` is text that sorts as time
 * does and `timestamp(timestamp)` a moment. An event on which the expression cannot be evaluated (a nested member is
 * missing, a type does not fit) does not match.
 *
 * The text comes from an operator, the event from anywhere: every accepted expression takes time linear in the event.
 * Patterns of `matches` are RE2 and literal; a range inside a range is part of the element at hand; `map` and `bind`,
 * which could multiply, are refused. Source: CEL language definition; re2js for patterns.
 * @module
 */
import { type Context, Environment } from '@marcbachmann/cel-js'
import { SwornError } from '@sworn/verify'
import { EVENT_MEMBERS, RESERVED_MEMBERS } from '@sworn/verify/events'
import { readUse } from './filter-use.ts'

/** True when the event matches. Total: never throws, whatever the event is made of. */
export type EventFilter = (event: Readonly<Record<string, unknown>>) => boolean

const MAX_CHARS = 4096
const VARIABLES = [...Object.keys(EVENT_MEMBERS), ...RESERVED_MEMBERS]

const base = VARIABLES.reduce(
  (env, name) => env.registerVariable(name, 'dyn'),
  new Environment({
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: 1000, maxDepth: 32, maxListElements: 1000, maxMapEntries: 64, maxCallArguments: 8 },
  }).registerVariable('event', 'map'),
)

/**
 * Compiles a filter.
 *
 * @param text at most 4,096 characters
 * @throws SwornError FILTER_INVALID with the position as `line:column`: not CEL, an unknown member (with a suggestion),
 *   a word that the member never holds, a result that is not true or false, or an expression without a linear bound
 */
export function compileFilter(text: string): EventFilter {
  if (text.length > MAX_CHARS) throw new SwornError('FILTER_INVALID', `at most ${MAX_CHARS} characters were expected`)
  const { run, members } = readUse(text, base, VARIABLES)
  return (event) => {
    const context: Context = { event }
    for (const name of members) context[name] = (Object.hasOwn(event, name) ? event[name] : undefined) ?? null
    try {
      return run(context) === true
    } catch {
      return false // the event lacks what the expression asks for
    }
  }
}
