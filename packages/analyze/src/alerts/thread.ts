/**
 * What the thread of the alerter does: it reads, judges and acts; what it finds is recorded by the thread that started it.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { findLedger } from '@sworn/recorder/segments'
import { describeAlert, toAlertEvent } from './alert.ts'
import { runAlerter } from './alerter.ts'
import { rulesOf } from './built-in.ts'
import { appliesTo, runCommand } from './command.ts'
import type { AlerterData, AlerterMessage, AlerterOrder } from './start.ts'

const { path, directory, section }: AlerterData = workerData
const { actions = [] } = section
const stop = new AbortController()
const post = (message: AlerterMessage) => parentPort?.postMessage(message)
const say = (text: string) => post({ say: text })

/** Those that wait to hear what became of their alert. */
const asked = new Map<string, (isRecorded: boolean) => void>()
parentPort?.on('message', (order: AlerterOrder) => {
  if (order === 'stop') return stop.abort()
  asked.get(order.id)?.(order.isRecorded)
  asked.delete(order.id)
})

await runAlerter({
  files: findLedger(path, '/'),
  directory,
  rules: rulesOf(section),
  record: (alert) =>
    new Promise((resolve) => {
      asked.set(alert.id, resolve)
      post({ id: alert.id, event: toAlertEvent(alert), text: describeAlert(alert) })
    }),
  async act(alert) {
    for (const [i, action] of actions.entries()) {
      if (appliesTo(action, alert))
        await runCommand(action, alert, stop.signal, (fault) => say(`the command of audit.alerts.actions[${i}] ${fault}`))
    }
  },
  say: (_, text) => say(text),
  signal: stop.signal,
})
parentPort?.close()
