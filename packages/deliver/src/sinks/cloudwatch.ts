/**
 * Amazon CloudWatch Logs: an event an entry, in one stream a ledger.
 *
 * At least once: the service drops nothing that comes twice. What it leaves out of a request because of its time is
 * parked with the reason. Source: Amazon CloudWatch Logs API, PutLogEvents.
 * @module
 */
import type { OpenSink, Outcome, Probed } from '../sink.ts'
import { type AwsOptions, awsReason, nameOf } from './aws.ts'
import { type CloudwatchDriver, type LogStream, loadCloudwatch } from './cloudwatch-driver.ts'
import { type LogEvent, toRefusals, toRequests } from './cloudwatch-requests.ts'

export interface CloudwatchOptions extends AwsOptions {
  /** It exists. */
  readonly group: string
  /** Made when it is absent. */
  readonly stream: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Default: the package next to sworn. */
  readonly driver?: () => Promise<CloudwatchDriver>
}

const LIMITS = { items: 10_000, bytes: 4 << 20 }

export function cloudwatchSink({ group, stream, now, driver = loadCloudwatch, ...options }: CloudwatchOptions): OpenSink {
  return async () => {
    const cloudwatch = await driver()
    const logs = cloudwatch.open(group, stream, options)
    return {
      limits: LIMITS,
      async send(items, signal): Promise<Outcome> {
        const { requests, refused: tooLong } = toRequests(items, now())
        const refused = [...tooLong]
        const open = [...requests]
        for (let request = open.shift(); request; request = open.shift()) {
          try {
            refused.push(...toRefusals(request, await logs.put(request, signal)))
          } catch (e) {
            const half = request.length >> 1
            if (nameOf(e) !== 'InvalidParameterException') return { refused, again: againOf([request, ...open], awsReason(e)) }
            if (half === 0) refused.push({ index: request[0]!.index, reason: awsReason(e) })
            else open.unshift(request.slice(0, half), request.slice(half)) // halved here: other requests of the batch were taken
          }
        }
        return { refused }
      },
      async probe(signal) {
        const beside = cloudwatch.open(group, `${stream}.probe`, options)
        try {
          return await probe(beside, now(), signal)
        } finally {
          beside.close()
        }
      },
      close: async () => logs.close(),
    }
  }
}

/** What was not taken; the halves that were do not come again. */
function againOf(open: readonly (readonly LogEvent[])[], reason: string): NonNullable<Outcome['again']> {
  const indexes = open.flatMap((events) => events.map(({ index }) => index))
  return { indexes: indexes.toSorted((a, b) => a - b), reason }
}

/** Nothing can be taken away from a stream: the probe has one of its own. */
async function probe(logs: LogStream, now: number, signal: AbortSignal): Promise<Probed> {
  try {
    const event = { timestamp: now, message: 'sworn probe', index: 0 }
    const [refusal] = toRefusals([event], await logs.put([event], signal))
    return refusal ? { wrong: refusal.reason } : { shown: 'a line was taken, in a stream of its own' }
  } catch (e) {
    return { wrong: awsReason(e) }
  }
}
