/**
 * The policy server's routes: validate, revoke, jwks, health, metrics. No listener.
 *
 * Every answer is recorded, and on disk, before it goes out; what cannot be recorded is answered 503 and nothing
 * else. Requests beyond the bound are refused unjudged and counted: the next record says how many.
 * Source: AIP v1alpha2 §6; design §2 (routes); AW12.
 * @module
 */
import type { AuditEvent } from '@sworn/recorder'
import { type BodyLimits, createBearerCheck } from '@sworn/recorder/http'
import type { ClaimsCheck, IdentityDesk } from '../identity/index.ts'
import type { Profile } from '../profiles.ts'
import { toResponse } from './answers.ts'
import { createCounters, type Sample } from './counters.ts'
import { answerRequest, type EndpointName, findEndpoint, type Render } from './dispatch.ts'
import { type Door, type Governing, samplesOf } from './door.ts'
import { createLive } from './live.ts'
import { DEFAULT_ENDPOINTS } from './rules.ts'

/** Somebody who may ask; `name` is what the record says. */
export interface Bearer {
  /** At least 16 visible ASCII characters. */
  readonly token: string
  readonly name: string
}

export interface PolicyRoutesOptions {
  /** Asked anew for every request. */
  readonly governing: () => Governing
  readonly profile: Profile
  readonly identity?: IdentityDesk
  /** Resolves when the event is on disk. */
  readonly record: (event: AuditEvent) => Promise<unknown>
  /** May ask /v1/validate where no identity token is required, and see the policy's hash and metrics. */
  readonly clients?: readonly Bearer[]
  /**
   * What an access token of an issuer that is trusted claims; undefined for one that does not count. Its subject is a
   * known client, and roles are read from its claims.
   */
  readonly check?: ClaimsCheck
  /** May revoke. */
  readonly admins?: readonly Bearer[]
  /** Renders what was counted; without it there is no metrics endpoint. */
  readonly metrics?: Render
  /** Of bodies; default 1 MiB within 5 s. */
  readonly limits?: Partial<BodyLimits>
  /** Requests that are answered beside each other; default 64. */
  readonly maxInFlight?: number
  readonly now?: () => number
  /** For how long answers take: milliseconds that never run backwards. */
  readonly clock?: () => number
}

export interface PolicyRoutes {
  /** undefined: the path is not ours. Never rejects. */
  route(request: Request): Promise<Response | undefined>
  /** What was counted and measured so far, by AIP's names. */
  samples(): readonly Sample[]
}

const MAX_IN_FLIGHT = 64

/** @throws TypeError for a client's or administrator's token of less than 16 characters */
export function createPolicyRoutes(options: PolicyRoutesOptions): PolicyRoutes {
  const door = openDoor(options)
  const { maxInFlight: max = MAX_IN_FLIGHT, clock = () => performance.now() } = options
  let inFlight = 0
  let shed = 0

  async function admit(request: Request, name: EndpointName): Promise<Response> {
    if (inFlight >= max) {
      shed++
      return toResponse({ status: 503, body: { error: 'busy', reason: 'Too many requests are being answered' }, events: [] })
    }
    inFlight++
    const dropped = shed
    shed = 0
    const begun = clock()
    try {
      const made = await answerRequest(door, request, name, options.metrics)
      const gap: AuditEvent[] = dropped > 0 ? [{ event_type: 'observation_gap', metadata: { reason: 'busy', dropped } }] : []
      if (await isRecorded(door, [...gap, ...made.events])) return toResponse(made)
      shed += dropped
      return toResponse({ status: 503, body: { error: 'audit_unavailable', reason: 'The answer could not be recorded' }, events: [] })
    } finally {
      inFlight--
      if (name === 'validate') door.live.took(clock() - begun)
    }
  }

  return {
    samples: () => samplesOf(door),
    async route(request) {
      const name = findEndpoint(door.governing().policy?.server?.endpoints ?? DEFAULT_ENDPOINTS, request)
      return name && admit(request, name)
    },
  }
}

function openDoor(options: PolicyRoutesOptions): Door {
  const wallMs = options.now ?? Date.now
  const startedMs = wallMs()
  return {
    governing: options.governing,
    profile: options.profile,
    identity: options.identity,
    clientOf: createNameCheck(options.clients),
    check: options.check,
    adminOf: createNameCheck(options.admins),
    record: options.record,
    counters: createCounters(),
    live: createLive(),
    limits: { bytes: 1 << 20, timeMs: 5000, ...options.limits },
    wallMs,
    uptimeMs: () => Math.max(0, wallMs() - startedMs),
  }
}

function createNameCheck(bearers: readonly Bearer[] = []): (token: string | undefined) => string | undefined {
  const find = createBearerCheck(bearers)
  return (token) => find(token)?.name
}

/** true when everything is on disk. */
async function isRecorded({ record }: Door, events: readonly AuditEvent[]): Promise<boolean> {
  try {
    await Promise.all(events.map((event) => record(event)))
    return true
  } catch {
    return false
  }
}
