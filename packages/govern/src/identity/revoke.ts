/** Ends a session or a token, in every process at once. Source: AIP v1alpha2 §5.6. @module */
import { revokedKey } from './check.ts'
import { type Revocation, revokedEvent } from './events.ts'
import type { Life } from './marks.ts'
import type { Room } from './room.ts'
import { nonceKey, sessionKey } from './session.ts'

/** What was revoked, as it was before. `unknown`: no such thing is alive here; it stays dead all the same. */
export type Revoked = Life

/** The reason first: whoever finds the nonce ended finds it too. */
export async function revoke({ governing, marks, record }: Room, revocation: Revocation): Promise<Revoked> {
  const { target } = revocation
  const { rules } = governing()
  if ('tokenId' in target) await marks.begin(revokedKey(target.tokenId))
  const before = await marks.end('session' in target ? sessionKey(target.session) : nonceKey(rules.noncePrefix, target.tokenId))
  await record(revokedEvent(revocation))
  return before
}
