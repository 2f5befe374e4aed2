/**
 * The alerter: follows a ledger, has each alert recorded once, and acts on it when it stands in the ledger.
 *
 * An alert is pending until the ledger holds it, so a process that dies in between loses none: the next one reads on from
 * the cursor, finds the same alert again, and asks for nothing that it meets in the ledger meanwhile. Actions follow
 * from recorded alerts, at least once. At most one alerter a ledger, in the process that records it: the caller's part.
 * @module
 */

import type { LedgerFiles } from '@sworn/recorder/segments'
import { asText } from '@sworn/verify'
import type { Entry } from '../reading/entry.ts'
import { type Alert, recordsAlert } from './alert.ts'
import { createEngine } from './engine.ts'
import { CAUGHT_UP, readOn, readStored } from './read-on.ts'
import type { Rule } from './rule.ts'
import { type AlerterState, type Cursor, dropState, readState, statePath, writeState } from './state-file.ts'

export interface AlerterParts {
  readonly files: LedgerFiles
  /** The ledger's own directory. */
  readonly directory: string
  readonly rules: readonly Rule[]
  /** Records the alert; false: that failed, and it is asked again unless the ledger shows it meanwhile. Never rejects. */
  readonly record: (alert: Alert) => Promise<boolean>
  /** Runs what is configured for it; never rejects. */
  readonly act: (alert: Alert) => Promise<void>
  readonly say: (level: 'warn', text: string) => void
  readonly now?: () => number
  readonly signal: AbortSignal
}

/** Without a state, only what was found in the last day is recorded: the rest builds the counts. */
const REBUILT_MS = 86_400_000
const AGAIN_MS = 5000
const TICK_MS = 500
const SAVE_MS = 1000
/** The part of the time that may go into saving. */
const SAVE_SHARE = 20
const MAX_DUE = 100

/** Runs until the signal aborts. @throws SwornError FILTER_INVALID, NODE_TOO_OLD; the file system's errors */
export async function runAlerter(parts: AlerterParts): Promise<void> {
  const path = statePath(parts.directory)
  const stored = await holdingState(parts, readState(path))
  const desk = createDesk(parts, stored)
  const timer = setInterval(() => desk.tick(), TICK_MS)
  try {
    for await (const entry of readOn(parts.files, (stored?.cursor.seq ?? -1) + 1, parts.signal)) {
      if (entry === CAUGHT_UP) desk.catchUp()
      else desk.take(entry)
    }
  } finally {
    clearInterval(timer)
    desk.save(0)
  }
}

/** The state, when the ledger still holds the entry that its cursor names, or has pruned it. */
async function holdingState({ files, say }: AlerterParts, state: AlerterState | undefined): Promise<AlerterState | undefined> {
  if (!state) return undefined
  const { cursor } = state
  for await (const { seq, entry_hash: hash } of readStored(files, cursor.seq)) {
    if (seq > cursor.seq + 1) say('warn', `entries ${cursor.seq + 1} to ${seq - 1} were pruned before alerts were looked for in them`)
    return seq > cursor.seq || hash === cursor.entryHash ? state : undefined
  }
  return undefined
}

/** The alerts whose actions are still to be run, one after the other. */
function createQueue({ act, say, signal }: Pick<AlerterParts, 'act' | 'say' | 'signal'>, stored: readonly Alert[], onDone: () => void) {
  const due = [...stored]
  let running = false
  return {
    due,
    add(alert: Alert): void {
      due.push(alert)
      if (due.length <= MAX_DUE) return
      due.splice(1, 1) // the first may be running
      say('warn', `more than ${MAX_DUE} alerts wait for their actions; the oldest is passed over`)
    },
    async run(): Promise<void> {
      if (running) return
      running = true
      for (let alert = due[0]; alert && !signal.aborted; alert = due[0]) {
        await act(alert)
        if (signal.aborted) break // it may have been cut short: once more, by the next alerter
        due.shift()
        onDone()
      }
      running = false
    },
  }
}

function createDesk({ directory, rules, record, act, say, now = Date.now, signal }: AlerterParts, stored: AlerterState | undefined) {
  const path = statePath(directory)
  if (!stored) dropState(path)
  const engine = createEngine(rules, stored?.engine)
  const pending = new Map((stored?.pending ?? []).map((alert) => [alert.id, { alert, askFrom: 0 }]))
  const recordFrom = stored ? Number.NEGATIVE_INFINITY : now() - REBUILT_MS
  let cursor: Cursor | undefined = stored?.cursor
  let caughtUp = false
  let changed = false
  const queue = createQueue({ act, say, signal }, stored?.due ?? [], () => {
    changed = true
  })
  let saveAt = 0

  function hold(alerts: readonly Alert[]): void {
    for (const alert of alerts) if (alert.time >= recordFrom) pending.set(alert.id, { alert, askFrom: 0 })
    if (caughtUp && alerts.length > 0) ask()
    changed = true
  }

  function ask(): void {
    const at = performance.now()
    for (const one of pending.values()) {
      if (one.askFrom > at) continue
      one.askFrom = Number.POSITIVE_INFINITY // a second event of one id is refused
      void record(one.alert).then((isRecorded) => {
        if (!isRecorded) one.askFrom = performance.now() + AGAIN_MS
      })
    }
  }

  function meet(entry: Entry): void {
    const known = pending.get(asText(entry.event_id))
    if (!known || !recordsAlert(entry, known.alert)) return
    pending.delete(known.alert.id)
    if (!stored && !caughtUp) return // recorded before this state began: acted on then
    queue.add(known.alert)
    if (caughtUp) void queue.run()
  }

  return {
    take(entry: Entry): void {
      if (entry.event_type === 'security_alert') meet(entry)
      else hold(engine.take(entry, now()))
      cursor = { seq: entry.seq, entryHash: asText(entry.entry_hash) }
    },
    catchUp(): void {
      caughtUp = true
      ask()
      void queue.run()
    },
    tick(): void {
      if (!caughtUp) return
      const silences = engine.tick(now())
      if (silences.length > 0) hold(silences)
      ask()
      this.save(saveAt)
    },
    /** Nothing is saved before the end is reached once: a state that is half rebuilt is none. */
    save(notBefore: number): void {
      const began = performance.now()
      if (!cursor || !changed || !caughtUp || began < notBefore) return
      const state = {
        version: 1,
        cursor,
        engine: engine.state(),
        pending: [...pending.values()].map(({ alert }) => alert),
        due: queue.due,
      } as const
      changed = false
      try {
        writeState(path, state)
      } catch (e) {
        say(
          'warn',
          `what the alerts count is not saved (${e instanceof Error && 'code' in e ? String(e.code) : 'unknown'}); a restart reads more`,
        )
      }
      const ended = performance.now()
      saveAt = ended + Math.max(SAVE_MS, SAVE_SHARE * (ended - began))
    },
  }
}
