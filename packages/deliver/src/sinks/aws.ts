/**
 * What the sinks in AWS share: where and as whom, through the official SDK and its own chain of credentials.
 *
 * The SDK retries nothing and follows no redirect: delivery retries, and a wrong region is the operator's to mend.
 * @module
 */
import { createAgents, type HttpOptions } from '../http.ts'
import { reasonOf } from '../ship.ts'

export interface AwsOptions extends Pick<HttpOptions, 'addresses' | 'ca'> {
  readonly region: string
  /** In the place of the region's own: a private endpoint, or another system that speaks the protocol. */
  readonly endpoint?: string | undefined
  /** Absent: as the SDK finds them: variables, profile, web identity, the machine's role. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
}

/** The part of a client of the SDK that is used. */
export interface AwsClient {
  send(command: object, options: { readonly abortSignal: AbortSignal }): Promise<unknown>
  destroy(): void
}

const CONNECT_MS = 10_000
/** What went wrong is delivery's to say; the SDK would print some of it. */
const silent = () => {}
const LOGGER = { trace: silent, debug: silent, info: silent, warn: silent, error: silent }

/** What a client of the SDK is made with. @throws SwornError CONFIG_INVALID for an endpoint that is no http or https URL, or not allowed */
export function clientOptions({ region, endpoint, credentials, addresses, ca }: AwsOptions): object {
  return {
    region,
    maxAttempts: 1,
    logger: LOGGER,
    requestHandler: { ...createAgents({ url: endpoint, addresses, ca }), connectionTimeout: CONNECT_MS },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
  }
}

interface Failure {
  readonly name?: unknown
  readonly $metadata?: { readonly httpStatusCode?: unknown }
}

/** The status that was answered; undefined when there was no answer. */
export function statusOf(e: unknown): number | undefined {
  const status = (e as Failure | undefined)?.$metadata?.httpStatusCode // whatever was thrown may have one
  return typeof status === 'number' ? status : undefined
}

/** The service's name for an error; its text could hold what was sent. */
export function nameOf(e: unknown): string {
  const name = String((e as Failure | undefined)?.name ?? '') // as above
  return /^[A-Z]\w{2,63}$/.test(name) && name !== 'Error' ? name : ''
}

/** Status and name, or the code of what kept an answer away. */
export function awsReason(e: unknown): string {
  const status = statusOf(e)
  if (status !== undefined) return `HTTP ${status} ${nameOf(e)}`.trimEnd()
  const reason = reasonOf(e)
  return reason === 'it failed' ? nameOf(e) || reason : reason
}
