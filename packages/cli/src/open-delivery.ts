/**
 * Delivery of an open ledger, as its configuration says; loaded only where a sink is configured.
 * @module
 */
import type { Writable } from 'node:stream'
import type { Delivery, PlanContext, SinkPlan } from '@sworn/deliver'
import type { LoadedConfig, LoadOptions, Port, Recorder } from '@sworn/recorder'
import type { Say } from './frame/say.ts'
import { VERSION } from './frame/version.ts'

/** For `loadConfig`: what `sinks`, `destinations` and `alerts` may say. */
export const rooms: NonNullable<LoadOptions['rooms']> = async () => ({
  ...(await import('@sworn/deliver')).CONFIG_ROOMS,
  alerts: (await import('@sworn/analyze/alerts-schema')).ALERTS_ROOM,
})

export interface DeliveryParts {
  readonly config: LoadedConfig
  readonly info: Pick<Port['info'], 'path' | 'origin'>
  /** Absent where stdout belongs to something else: then no sink gets it. */
  readonly stdout?: Writable | undefined
  readonly logger?: PlanContext['logger']
  readonly say: Say
  /** Where what was gone before it was delivered is recorded. */
  readonly recorder?: Pick<Recorder, 'record'>
}

/** How long the end of a program waits for its last entries to be delivered. */
const DRAIN_MS = 5000

/** Closes after what is in the ledger by then was delivered, or five seconds; a sink in trouble is not waited for. */
export interface OpenDelivery extends Pick<Delivery, 'idle'> {
  close(): Promise<void>
}

/** Undefined where nothing is to be delivered. @throws SwornError CONFIG_INVALID, FILTER_INVALID, DRIVER_MISSING, IO_FAILED */
export async function openConfiguredDelivery(parts: DeliveryParts): Promise<OpenDelivery | undefined> {
  const sinks = await planConfigured(parts)
  if (sinks.length === 0) return undefined
  const { openDelivery } = await import('@sworn/deliver')
  const { config, info, recorder, say } = parts
  const delivery = openDelivery({
    path: info.path,
    origin: info.origin,
    version: VERSION,
    sinks,
    aside: { names: asideOf(sinks), sinks: config.values.sinks, destinations: config.values.destinations },
    onLost(sink, { from, to }) {
      say('error', `${to - from} entries were gone before ${sink} got them: ${from} to ${to - 1}`)
      const metadata = { from, to: to - 1, reason: 'pruned or missing before it was delivered', dropped: to - from, sink }
      void recorder?.record({ event_type: 'observation_gap', severity: 'error', metadata }).catch(() => {}) // said above
    },
  })
  return {
    idle: delivery.idle,
    async close() {
      await delivery.settled(DRAIN_MS)
      await delivery.close()
    },
  }
}

/** The same for a ledger that is not open yet: what the configuration says is checked at once, delivery begins when it is. @throws as above */
export async function openDeliveryLater(
  parts: DeliveryParts,
  opened: Promise<Port['info'] | undefined>,
): Promise<Pick<OpenDelivery, 'close'> | undefined> {
  if ((await planConfigured(parts)).length === 0) return undefined
  const begun = opened.then((info) => info && openConfiguredDelivery({ ...parts, info }))
  begun.catch(() => parts.say('error', 'nothing is delivered: the sinks could not be opened'))
  return {
    async close() {
      await (await begun.catch(() => undefined))?.close() // said above
    },
  }
}

/** They take what only this program has. */
const OF_THIS_THREAD: readonly string[] = ['stdout', 'logger']

/** Delivery to all others is in a thread of its own: recording does not wait for it. */
function asideOf(sinks: readonly SinkPlan[]): readonly string[] {
  return sinks.filter(({ type }) => !OF_THIS_THREAD.includes(type)).map(({ name }) => name)
}

/** The sinks of the configuration; empty where there is none. */
export async function planConfigured({ config, info, stdout, logger, say }: DeliveryParts): Promise<readonly SinkPlan[]> {
  const { sinks = [], destinations = [], log_path: ledgerPath } = config.values
  if (sinks.length + destinations.filter((destination) => destination !== 'file').length === 0) return []
  const { planSinks } = await import('@sworn/deliver')
  const plans = planSinks(sinks, destinations, {
    origin: info.origin,
    version: VERSION,
    stdout: stdout ?? process.stdout,
    logger,
    now: Date.now,
    ledgerPath,
  })
  const left = plans.filter(({ type }) => type === 'stdout' && stdout === undefined)
  if (left.length > 0) say('warn', 'stdout belongs to something else here: nothing is delivered to it')
  return plans.filter((plan) => !left.includes(plan))
}
