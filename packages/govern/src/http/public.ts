/**
 * GET: health, keys, metrics. They decide nothing. Source: AIP v1alpha2 §5.8.5, §6.3, §6.4.
 *
 * In `strict` the policy's hash and the metrics are for known clients and administrators: AW20 shows what the hash
 * gives away.
 * @module
 */
import { bearerOf } from '@sworn/recorder/http'
import { type Answer, type Asked, refuse, refuseCaller, tell } from './answers.ts'
import type { Sample } from './counters.ts'
import { type Door, samplesOf } from './door.ts'

const HOUR_S = 3600

function isKnown(door: Door, request: Request): boolean {
  const bearer = bearerOf(request.headers.get('authorization'))
  return door.profile === 'aip-compat' || door.clientOf(bearer) !== undefined || door.adminOf(bearer) !== undefined
}

export function health(door: Door, asked: Asked, request: Request): Answer {
  const { policy } = door.governing()
  const body = { version: 'v1alpha2', uptime_seconds: Math.floor(door.uptimeMs() / 1000) }
  if (!policy) return tell(asked, { status: 'unhealthy', ...body }, {}, 503)
  const hash = isKnown(door, request) ? { policy_hash: policy.hash.slice('sha256:'.length) } : {}
  return tell(asked, { status: 'healthy', ...body, ...hash })
}

/** Kept by clients for less time than a key is published before it signs. */
export async function jwks({ identity }: Door, asked: Asked): Promise<Answer> {
  const rules = identity?.rules()
  if (!identity || !rules) return refuse(asked, { status: 404, error: 'not_found', reason: 'The policy does not enable identity' })
  const maxAge = Math.min(HOUR_S, Math.floor(rules.keys.periodMs / 2000))
  return tell(asked, { keys: await identity.published() }, { 'cache-control': `public, max-age=${maxAge}` })
}

/** @param render the text of the samples, by whoever serves metrics */
export async function metrics(
  door: Door,
  asked: Asked,
  request: Request,
  render: ((samples: readonly Sample[]) => string | Promise<string>) | undefined,
): Promise<Answer> {
  if (!render) return refuse(asked, { status: 404, error: 'not_found', reason: 'Nobody serves metrics here' })
  if (!isKnown(door, request)) return refuseCaller(asked, 'unauthorized', 'The token of a client was expected')
  return tell(asked, await render(samplesOf(door)), { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
}
