/**
 * The engine: one entry in, alerts out.
 *
 * Promise: what it says depends on rules, state and the entries in their order, never on when it is asked, so that
 * live and over history it says the same; its state is JSON, and bounded whatever the entries hold. Entries are hostile:
 * each rule has its own bounds, so that who floods one count blinds no other rule, and what is forgotten is said.
 * Alerts are not looked at: no alert follows from an alert. Source: docs/guides/alerts.md.
 * @module
 */
import { asText } from '@sworn/verify'
import type { Entry } from '../reading/entry.ts'
import { type Alert, createAlert, type Found, recordsAlert } from './alert.ts'
import { type CallsState, createCalls } from './calls.ts'
import { advanceClock, type Clock } from './clock.ts'
import { compileRule } from './compile.ts'
import { type Count, createCounts, type StoredCount } from './counts.ts'
import { createHookless, type HooklessState } from './hookless.ts'
import type { Hit, Proof } from './judge.ts'
import { type Begun, type FoundUnseen, silenceProof, unseenProof } from './order.ts'
import type { Rule } from './rule.ts'

/** Alerts of one rule in an hour; the others are counted and said when it is over. */
const MAX_AN_HOUR = 20
const HOUR_MS = 3_600_000
const MAX_QUIET = 1000

export interface RuleState {
  readonly digest: string
  readonly counts: readonly StoredCount[]
  readonly told: number
  readonly held: number
  readonly forgotten: number
}

/** Plain JSON. */
export interface EngineState {
  readonly clock: Clock
  readonly hour: number
  readonly rules: Readonly<Record<string, RuleState>>
  /** Where a rule looks for calls. */
  readonly calls?: CallsState
  /** Where a rule looks for sessions without hooks. */
  readonly hookless?: HooklessState
}

export interface Engine {
  /** @param now of the wall clock: an entry cannot be from later */
  take(entry: Entry, now: number): Alert[]
  /** What time alone brings up to `now`: silences, and calls and sessions whose grace time is over. */
  tick(now: number): Alert[]
  state(): EngineState
  /** What it keeps, over all rules. */
  readonly cells: number
}

export interface EngineOptions {
  /**
   * For an engine that begins in the middle of a ledger, milliseconds since 1970: a recorded alert from before this moment,
   * found at the same entry, says that its cool-down began there. Whoever began earlier told at other entries.
   */
  readonly adoptBefore?: number
}

/** @throws SwornError FILTER_INVALID */
export function createEngine(rules: readonly Rule[], stored?: EngineState, { adoptBefore }: EngineOptions = {}): Engine {
  const clock: Clock = { ...(stored?.clock ?? { time: null, late: 0 }) }
  let hour = stored?.hour ?? 0
  const quiet = adoptBefore === undefined ? undefined : createQuiet(adoptBefore)
  const desks = rules.map((rule) => createDesk(rule, stored?.rules[rule.name], quiet))
  const ofType = new Map<string, Desk[]>()
  const all = desks.filter(({ rule }) => rule.events === undefined && rule.unseen === undefined)
  const ofUnseen = desks.filter(({ rule }) => rule.unseen !== undefined)
  const ofSessions = ofUnseen.filter(({ rule }) => rule.unseen === 'no_hook')
  const ofCalls = ofUnseen.filter(({ rule }) => rule.unseen !== 'no_hook')
  const calls = createCalls(windowsOf(ofCalls), stored?.calls, () => ofCalls[0]?.forget())
  const hookless = createHookless(windowsOf(ofSessions), stored?.hookless, () => ofSessions[0]?.forget())
  for (const desk of desks) for (const type of desk.rule.events ?? []) ofType.set(type, [...(ofType.get(type) ?? []), desk])

  function desksFor(type: string): readonly Desk[] {
    const named = ofType.get(type) ?? []
    return type.startsWith('log.') ? named : [...all, ...named]
  }

  function found(these: readonly FoundUnseen[]): Alert[] {
    return these.flatMap((one) => ofUnseen.flatMap((desk) => desk.found(one)))
  }

  function timeBrings(now: number): Alert[] {
    return [...desks.flatMap((desk) => desk.silences(now)), ...found(calls?.late(now) ?? []), ...found(hookless?.late(now) ?? [])]
  }

  return {
    take(entry, now) {
      const type = typeof entry.event_type === 'string' ? entry.event_type : ''
      if (type === 'security_alert') {
        quiet?.adopt(entry)
        return []
      }
      const { time, newest } = advanceClock(clock, entry, now)
      const alerts: Alert[] = []
      if (Math.floor(newest / HOUR_MS) !== hour) {
        hour = Math.floor(newest / HOUR_MS)
        for (const desk of desks) alerts.push(...desk.beginHour(entry, newest))
      }
      alerts.push(...timeBrings(newest))
      for (const desk of desksFor(type)) alerts.push(...desk.take(entry, time, newest))
      hookless?.take(entry, newest)
      return [...alerts, ...found(calls?.take(entry, newest) ?? [])]
    },
    tick: (now) => (clock.time === null ? [] : timeBrings(now)),
    state: () => ({
      clock: { ...clock },
      hour,
      rules: Object.fromEntries(desks.map((desk) => [desk.rule.name, desk.state()])),
      ...(calls && { calls: calls.state() }),
      ...(hookless && { hookless: hookless.state() }),
    }),
    get cells() {
      return desks.reduce((sum, desk) => sum + desk.cells(), 0)
    },
  }
}

type Desk = ReturnType<typeof createDesk>

function windowsOf(desks: readonly Desk[]): number[] {
  return desks.map(({ rule }) => rule.windowMs)
}

type Quiet = ReturnType<typeof createQuiet>

/** What a cool-down kept quiet, until it is seen whether it was recorded; the oldest are let go. */
function createQuiet(before: number) {
  const kept = new Map<string, { readonly alert: Alert; readonly count: Count }>()
  return {
    keep(found: Found, count: Count): void {
      if (found.time >= before) return
      const alert = createAlert(found)
      kept.set(alert.id, { alert, count })
      if (kept.size > MAX_QUIET) kept.delete(kept.keys().next().value!)
    },
    adopt(entry: Entry): void {
      const one = kept.get(asText(entry.event_id))
      if (one && recordsAlert(entry, one.alert)) one.count.toldAt = Math.max(one.count.toldAt ?? 0, one.alert.time)
    },
  }
}

/** One rule with its counts. */
function createDesk(source: Rule, stored: RuleState | undefined, quiet: Quiet | undefined) {
  const tally = { told: 0, held: 0, forgotten: 0 }
  const forget = () => void tally.forgotten++
  const rule = compileRule(source, forget)
  const known = stored?.digest === rule.digest ? stored : undefined
  const counts = createCounts(known?.counts ?? [], forget)
  if (known) Object.assign(tally, { told: known.told, held: known.held, forgotten: known.forgotten })

  function tell(count: Count, time: number, proof: Proof, entryHash: string): Alert[] {
    const found = { rule: rule.name, severity: rule.severity, time, by: count.by, proof, entryHash }
    if (count.toldAt !== null && Math.abs(time - count.toldAt) < rule.coolDownMs) {
      quiet?.keep(found, count)
      return []
    }
    count.toldAt = time
    if (++tally.told > MAX_AN_HOUR) {
      tally.held++
      return []
    }
    return [createAlert(found)]
  }

  /** Of the rule itself, not of what it found. */
  function note(about: string, text: string, entry: Entry, time: number): Alert {
    const proof = { text, value: 0, expected: 0, evidence: [entry.seq], first: entry.seq, last: entry.seq, count: 1 }
    return createAlert({ rule: about, severity: 'warning', time, by: { rule: rule.name }, proof, entryHash: hashOf(entry) })
  }

  function judgeSilence(count: Count, entry: Entry, newest: number): void {
    counts.wait(count, rule.matches(entry) ? { seq: entry.seq, time: newest, hash: hashOf(entry) } : undefined)
  }

  return {
    rule,
    forget,
    /** For a rule that looks for what nobody saw. */
    found({ what, windowMs, time }: FoundUnseen): Alert[] {
      if (what.finding !== rule.unseen || windowMs !== rule.windowMs) return []
      const count = counts.find(rule.groupOf({ ...what }), () => null)
      counts.resize(count, 1)
      return tell(count, time, unseenProof(what), what.entry_hash)
    },
    take(entry: Entry, time: number, newest: number): Alert[] {
      if (rule.judge !== undefined && !rule.matches(entry)) return []
      const hit: Hit = { entry, seq: entry.seq, time: time >= newest - rule.windowMs ? time : newest, clock: newest }
      const count = counts.find(rule.groupOf(entry), () => rule.judge?.begin(hit) ?? null)
      if (rule.judge === undefined) {
        judgeSilence(count, entry, newest)
        return []
      }
      const proof = rule.judge.take(count.own, hit)
      counts.resize(count, rule.judge.cells(count.own))
      return proof ? tell(count, newest, proof, hashOf(entry)) : []
    },
    silences(now: number): Alert[] {
      if (rule.judge !== undefined || rule.unseen !== undefined) return []
      return counts.waitingSince(now - rule.windowMs).flatMap((count) => {
        const begun = count.own as Begun // a rule without a judge has waits only
        counts.wait(count, undefined)
        return tell(count, begun.time + rule.windowMs, silenceProof(begun, rule.window), begun.hash)
      })
    },
    /** Says what was held back and forgotten in the hour before. */
    beginHour(entry: Entry, time: number): Alert[] {
      const { held, forgotten } = tally
      const notes = [
        ...(held > 0
          ? [note('alerts_held', `${held} alerts of one rule in an hour were not recorded, over ${MAX_AN_HOUR}`, entry, time)]
          : []),
        ...(forgotten > 0
          ? [note('counts_forgotten', `${forgotten} counts or values did not fit and are unknown again`, entry, time)]
          : []),
      ]
      Object.assign(tally, { told: 0, held: 0, forgotten: 0 })
      return notes
    },
    state: (): RuleState => ({ digest: rule.digest, counts: counts.stored(), ...tally }),
    cells: () => counts.cells,
  }
}

function hashOf({ entry_hash: hash }: Entry): string {
  return typeof hash === 'string' ? hash : ''
}
