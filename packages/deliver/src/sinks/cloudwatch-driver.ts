/**
 * The part of `@aws-sdk/client-cloudwatch-logs` that is used, written out; it is installed beside sworn by whoever
 * needs it.
 * @module
 */
import { type AwsClient, type AwsOptions, clientOptions, nameOf } from './aws.ts'
import type { LogEvent, RejectedLogEvents } from './cloudwatch-requests.ts'
import { loadDriver } from './driver.ts'

export interface LogStream {
  /** What was left out. Makes the stream when it is absent; the group is the operator's. */
  put(events: readonly LogEvent[], signal: AbortSignal): Promise<RejectedLogEvents>
  close(): void
}

export interface CloudwatchDriver {
  open(group: string, stream: string, options: AwsOptions): LogStream
}

type Command = new (input: object) => object
interface Module {
  readonly CloudWatchLogsClient: new (options: object) => AwsClient
  readonly PutLogEventsCommand: Command
  readonly CreateLogStreamCommand: Command
}
interface Answer {
  readonly rejectedLogEventsInfo?: RejectedLogEvents
  readonly $metadata: { readonly requestId?: string }
}

const PACKAGE = '@aws-sdk/client-cloudwatch-logs'

/** @throws SwornError DRIVER_MISSING */
export async function loadCloudwatch(): Promise<CloudwatchDriver> {
  const { CloudWatchLogsClient, PutLogEventsCommand, CreateLogStreamCommand } = await loadDriver<Module>(PACKAGE, PACKAGE)
  return {
    open(logGroupName, logStreamName, options) {
      const client = new CloudWatchLogsClient(clientOptions(options))
      const put = async (events: readonly LogEvent[], abortSignal: AbortSignal) => {
        const logEvents = events.map(({ timestamp, message }) => ({ timestamp, message }))
        return (await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }), { abortSignal })) as Answer
      }
      const makeStream = async (abortSignal: AbortSignal) => {
        const command = new CreateLogStreamCommand({ logGroupName, logStreamName })
        await client.send(command, { abortSignal }).catch((e) => {
          if (nameOf(e) !== 'ResourceAlreadyExistsException') throw e
        })
      }
      return {
        async put(events, signal) {
          const answer = await put(events, signal).catch(async (e) => {
            if (nameOf(e) !== 'ResourceNotFoundException') throw e
            await makeStream(signal)
            return await put(events, signal)
          })
          return checkAnswer(answer)
        },
        close: () => client.destroy(),
      }
    },
  }
}

/** Every answer of the service has an id; a 200 without one is somebody else's. */
function checkAnswer({ rejectedLogEventsInfo = {}, $metadata }: Answer): RejectedLogEvents {
  if ($metadata.requestId !== undefined) return rejectedLogEventsInfo
  throw Object.assign(new Error('no request id'), { code: 'an answer without a request id' })
}
