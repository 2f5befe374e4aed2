/** What the handlers of the endpoints share. @module */
import type { AuditEvent, Gate } from '@sworn/recorder'
import type { BodyLimits } from '@sworn/recorder/http'
import type { Identity } from '../identity/index.ts'
import type { Policy } from '../policy/types.ts'
import type { Profile } from '../profiles.ts'
import type { Counters } from './counters.ts'

/** What judges now. After a reload it is another one. */
export interface Governing {
  /** undefined: none, or one that does not hold; the gate blocks then. */
  readonly policy: Policy | undefined
  readonly gate: Gate
}

export interface Door {
  readonly governing: () => Governing
  readonly profile: Profile
  readonly identity: Identity | undefined
  readonly clientOf: (token: string | undefined) => string | undefined
  readonly adminOf: (token: string | undefined) => string | undefined
  readonly record: (event: AuditEvent) => Promise<unknown>
  readonly counters: Counters
  readonly limits: BodyLimits
  /** Milliseconds since 1970: how long a token has left. */
  readonly wallMs: () => number
  /** Milliseconds since the routes were made. */
  readonly uptimeMs: () => number
}
