/**
 * Starts the alerter of a ledger in a thread of its own: whoever records is not held up by what judges the record.
 * @module
 */
import { startWorker } from '@sworn/recorder/reading'
import type { AlertsSection } from './rule.ts'

/** What the thread is given. */
export interface AlerterData {
  /** The ledger, absolute. */
  readonly path: string
  /** Its own directory. */
  readonly directory: string
  readonly section: AlertsSection
}

/** What the thread is told. */
export type AlerterOrder = { readonly id: string; readonly isRecorded: boolean } | 'stop'

/** What the thread says. */
export type AlerterMessage = { readonly id: string; readonly event: AlertEvent; readonly text: string } | { readonly say: string }

/** For `record` of the recorder; the same event_id is the same alert. */
export type AlertEvent = { readonly event_type: 'security_alert' } & Readonly<Record<string, unknown>>

export interface AlerterTakers {
  /** Records an alert, here also in few words; false: it could not, and is asked again. Never rejects. */
  readonly record: (event: AlertEvent, text: string) => Promise<boolean>
  readonly say: (text: string) => void
  /** The thread ended by itself: nothing is looked for any more. */
  readonly onEnd: (reason: string) => void
}

export interface AlerterThread {
  /** Resolves when the thread has saved what it counted and ended. */
  stop(): Promise<void>
}

/** A thread that does not end by then is ended: it is made to be killed. */
const STOP_MS = 2000

export function startAlerter(data: AlerterData, { record, say, onEnd }: AlerterTakers): AlerterThread {
  const worker = startWorker(import.meta.url, './worker-entry', data)
  let stopping = false
  const tell = (order: AlerterOrder) => worker.postMessage(order)
  worker.on('message', (message: AlerterMessage) => {
    if ('say' in message) say(message.say)
    else void record(message.event, message.text).then((isRecorded) => tell({ id: message.id, isRecorded }))
  })
  worker.on('error', (e) => void (stopping || onEnd(e instanceof Error ? e.message : 'unknown')))
  worker.unref() // behind the listener of messages, which refs it
  const ended = new Promise<void>((resolve) => worker.on('exit', () => resolve()))
  return {
    async stop() {
      stopping = true
      worker.ref() // whoever waits is not to end before
      tell('stop')
      const late = setTimeout(() => void worker.terminate(), STOP_MS)
      await ended
      clearTimeout(late)
    },
  }
}
