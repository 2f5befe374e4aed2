/**
 * What became of calls: decided, let through in spite of the policy, ended, failed, and without a known end.
 *
 * A call that was allowed and has no outcome in the period counts as unknown, never as done; so does one whose end says that
 * nobody saw it (`error_type` outcome_unknown). A call that several observers saw counts once: with the strictest decision
 * and the first end.
 * @module
 */
import type { Columns } from '../columns.ts'
import type { Entry } from '../reading/entry.ts'
import { createDurations, type DurationSummary } from './durations.ts'
import { createOpenEnds } from './open-ends.ts'
import { cutText, type Part } from './part.ts'
import { MAX_LISTED, MAX_NAMES } from './tally.ts'

export interface ToolCalls extends DurationSummary {
  readonly tool: string
  readonly ok: number
  readonly failed: number
  readonly denied: number
}

export interface Calls {
  readonly allowed: number
  readonly denied: number
  /** A policy was violated and the call was let through: monitor mode. */
  readonly let_through: number
  /** Would have been allowed, and was not made: dry run. */
  readonly dry_run: number
  readonly methods_blocked: number
  readonly ok: number
  readonly failed: number
  /** Failed calls of those that ended; null when none did. */
  readonly failure_rate: number | null
  readonly outcome_unknown: number
  /** Begun without an id that can be followed, or when too many were open. */
  readonly outcome_not_followed: number
  /** Most calls first, then by name. */
  readonly tools: readonly ToolCalls[]
  /** Calls of tools that are not listed. */
  readonly other_tools: number
  /** Of models, which are no tools. */
  readonly models: DurationSummary & { readonly ok: number; readonly failed: number }
}

type Measure = ReturnType<typeof createMeasure>

export function createCalls(): Part<Calls> {
  const decided = createDecisions()
  const open = createOpenEnds()
  const tools = createTools()
  const all = createMeasure()
  const models = createMeasure()
  return {
    add(entry, columns, observed) {
      if (observed?.repeats) return
      decided.add(entry, observed?.overrules === true)
      const { event_type: type } = entry
      const id = observed?.action ?? entry.correlation_id
      if (isIntent(entry)) open.begin(id)
      if (type === 'authorization_decision' && entry.decision === 'deny') tools.of(entry.tool)?.deny()
      if (observed?.overrules) open.end(id)
      if ((type === 'tool_call_end' || type === 'tool_call_error') && entry.error_type !== 'outcome_unknown') {
        open.end(id)
        all.end(entry, columns)
        tools.of(entry.tool)?.end(entry, columns)
      }
      if (type === 'model_response' || type === 'model_error') models.end(entry, columns)
    },
    done() {
      const { ok, failed } = all.done()
      const ends = open.done()
      const { denied: _, ...ofModels } = models.done()
      return {
        ...decided.done(),
        ok,
        failed,
        failure_rate: ok + failed === 0 ? null : failed / (ok + failed),
        outcome_unknown: ends.open,
        outcome_not_followed: ends.unfollowed,
        ...tools.done(),
        models: ofModels,
      }
    },
  }
}

function isIntent({ event_type: type, decision, reason_code: code }: Entry): boolean {
  return type === 'tool_call_start' || (type === 'authorization_decision' && decision === 'allow' && code !== 'dry_run')
}

function createDecisions() {
  const counts = { allowed: 0, denied: 0, let_through: 0, dry_run: 0, methods_blocked: 0 }
  return {
    add({ event_type: type, decision, violation, enforced, reason_code: code }: Entry, overrules: boolean): void {
      if (overrules) counts.allowed--
      if (type === 'method_blocked') counts.methods_blocked++
      if (type !== 'authorization_decision') return
      if (decision === 'allow') counts.allowed++
      if (decision === 'deny') counts.denied++
      if (decision === 'allow' && violation === true && enforced === false) counts.let_through++
      if (code === 'dry_run') counts.dry_run++
    },
    done: () => counts,
  }
}

/** Calls by tool: the first MAX_NAMES tools that are met. */
function createTools(): { of(tool: unknown): Measure | undefined; done(): Pick<Calls, 'tools' | 'other_tools'> } {
  const known = new Map<string, Measure>()
  let late = 0
  return {
    of(tool) {
      const name = cutText(tool)
      if (name === undefined) return undefined
      const found = known.get(name)
      if (found) return found
      if (known.size >= MAX_NAMES) {
        late++
        return undefined
      }
      const made = createMeasure()
      known.set(name, made)
      return made
    },
    done() {
      const calls = ({ ok, failed, denied }: ToolCalls): number => ok + failed + denied
      const all = [...known].map(([tool, measure]) => ({ tool, ...measure.done() }))
      all.sort((a, b) => calls(b) - calls(a) || (a.tool < b.tool ? -1 : 1))
      return { tools: all.slice(0, MAX_LISTED), other_tools: all.slice(MAX_LISTED).reduce((sum, one) => sum + calls(one), late) }
    },
  }
}

function createMeasure() {
  const durations = createDurations()
  let [ok, failed, denied] = [0, 0, 0]
  return {
    deny: () => void denied++,
    end({ event_type: type, is_error: isError }: Entry, { durationMs }: Columns): void {
      if (type === 'tool_call_error' || type === 'model_error' || isError === true) failed++
      else ok++
      durations.add(durationMs)
    },
    done: () => ({ ok, failed, denied, ...durations.done() }),
  }
}
