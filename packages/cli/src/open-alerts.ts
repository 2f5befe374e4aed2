/**
 * Alerts of an open ledger, as its configuration says: looked for in a thread, by the process that records and only by it.
 *
 * Looked once a second: who records may change, and so may the configuration. A program that ends sooner looks for
 * nothing; whoever records next goes on from the cursor. Source: docs/guides/alerts.md.
 * @module
 */
import type { AlerterThread } from '@sworn/analyze/alerter'
import type { AlertsSection } from '@sworn/analyze/alerts'
import type { AuditBlock, Recorder } from '@sworn/recorder'
import { acquireAlerting } from '@sworn/recorder/reading'
import { findLedger } from '@sworn/recorder/segments'
import type { Say } from './frame/say.ts'
import { findHolder } from './operator/holder.ts'

export interface AlertsParts {
  /** The ledger, absolute. */
  readonly path: string
  /** `audit.alerts` as it is now. */
  readonly section: () => AuditBlock['alerts']
  readonly recorder: Pick<Recorder, 'record'>
  readonly say: Say
}

export interface OpenAlerts {
  /** Resolves when nothing is looked for any more. */
  close(): Promise<void>
}

interface Running {
  /** The section that it was started with. */
  readonly section: string
  readonly thread: AlerterThread
  readonly lock: { release(): Promise<void> }
}

const LOOK_MS = 1000
/** After a thread that failed. */
const REST_MS = 60_000

/** Starts nothing yet, and keeps no process alive. */
export function openAlerts({ path, section, recorder, say }: AlertsParts): OpenAlerts {
  let running: Running | undefined
  let restUntil = 0
  let isClosed = false
  let looking = Promise.resolve()

  async function start(wanted: string): Promise<void> {
    const { directory } = findLedger(path, '/')
    const lock = directory && (await acquireAlerting(directory))
    if (!directory || !lock) return
    const { startAlerter } = await import('@sworn/analyze/alerter')
    const thread = startAlerter(
      { path, directory, section: JSON.parse(wanted) },
      {
        record,
        say: (text) => say('warn', text),
        onEnd(reason) {
          say('error', `alerts are not looked for (${reason}); tried again in a minute`)
          restUntil = performance.now() + REST_MS
        },
      },
    )
    running = { section: wanted, thread, lock }
  }

  async function record(event: Parameters<Recorder['record']>[0], text: string): Promise<boolean> {
    try {
      await recorder.record(event, { required: true })
      say('warn', `alert ${text}`)
      return true
    } catch {
      if (!isClosed) say('warn', `an alert could not be recorded, tried again: ${text}`)
      return false
    }
  }

  async function stop(): Promise<void> {
    const { thread, lock } = running ?? {}
    running = undefined
    await thread?.stop()
    await lock?.release()
  }

  async function look(): Promise<void> {
    const wanted: AlertsSection = section() ?? {} // checked by its room when it was read
    const isOurs = !isClosed && wanted.enabled !== false && findHolder(path)?.pid === process.pid
    const text = JSON.stringify(wanted)
    if (running && (!isOurs || running.section !== text || performance.now() < restUntil)) await stop()
    if (!running && isOurs && performance.now() >= restUntil) await start(text)
  }

  const enqueue = () => (looking = looking.then(look).catch(() => say('warn', 'alerts are not looked for now; tried again in a second')))
  const timer = setInterval(() => void enqueue(), LOOK_MS)
  timer.unref()
  return {
    async close() {
      isClosed = true
      clearInterval(timer)
      await looking
      await stop()
    },
  }
}
