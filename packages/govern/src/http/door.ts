/** What the handlers of the endpoints share. @module */
import type { AuditEvent, Gate } from '@sworn/recorder'
import type { BodyLimits } from '@sworn/recorder/http'
import type { ClaimsCheck, IdentityDesk } from '../identity/index.ts'
import type { Policy } from '../policy/types.ts'
import type { Profile } from '../profiles.ts'
import type { Counters, Sample } from './counters.ts'
import type { Live } from './live.ts'

/** What judges now. After a reload it is another one. */
export interface Governing {
  /** undefined: none, or one that does not hold; the gate blocks then. */
  readonly policy: Policy | undefined
  readonly gate: Gate
}

export interface Door {
  readonly governing: () => Governing
  readonly profile: Profile
  readonly identity: IdentityDesk | undefined
  readonly clientOf: (token: string | undefined) => string | undefined
  readonly check: ClaimsCheck | undefined
  readonly adminOf: (token: string | undefined) => string | undefined
  readonly record: (event: AuditEvent) => Promise<unknown>
  readonly counters: Counters
  readonly live: Live
  readonly limits: BodyLimits
  /** Milliseconds since 1970: how long a token has left. */
  readonly wallMs: () => number
  /** Milliseconds since the routes were made. */
  readonly uptimeMs: () => number
}

/** All that is counted and measured here, by AIP's names. */
export function samplesOf({ counters, live, governing, wallMs }: Door): readonly Sample[] {
  return [...counters.samples(), ...live.samples(governing().policy?.hash, wallMs())]
}
