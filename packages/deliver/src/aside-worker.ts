/**
 * The thread that delivers.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { findLedger } from '@sworn/recorder/segments'
import type { AsideData, AsideMessage, AsideOrder } from './aside.ts'
import { systemClock } from './clock.ts'
import { planSinks } from './config.ts'
import { deliverTo, directoryOf } from './deliver.ts'
import { sinkPlaces } from './places.ts'

const { path, origin, version, openedMs, names, sinks, destinations } = workerData as AsideData // given by aside.ts
const stop = new AbortController()
let round = 0
const lookers: (() => void)[] = []
parentPort?.on('message', (order: AsideOrder) => {
  if (order === 'stop') stop.abort()
  else if (order === 'look') for (const look of lookers) look()
  else round = order
})
const tell = (message: AsideMessage) => parentPort?.postMessage(message)

const files = findLedger(path, '/')
const directory = directoryOf(files)
const context = { origin, version, stdout: process.stdout, now: Date.now, ledgerPath: path }
const plans = planSinks(sinks, destinations, context).filter(({ name }) => names.includes(name))
await Promise.all(
  plans.map((plan) =>
    deliverTo(
      { plan, places: sinkPlaces(directory, plan.name) },
      {
        ...{ files, origin, version, clock: systemClock, signal: stop.signal, openedMs },
        onLost: (sink, lost) => tell({ about: 'lost', sink, lost }),
        onWaiting: (_, look) => void lookers.push(look),
        onState: (sink, state) => tell({ about: 'state', sink, state, round }),
      },
    ),
  ),
)
parentPort?.close()
