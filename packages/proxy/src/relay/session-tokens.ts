/**
 * What one proxied session keeps of identity tokens, and what comes beside its messages.
 * @module
 */
import type { IdentityDesk, Session as IdentitySession } from '@sworn/govern/identity'
import type { Id, Members } from '../frames/read.ts'

/** What comes and goes beside messages: over HTTP in header fields. */
export interface Beside {
  /** What came with the request `id`; its token is hostile input, its claims are of a token that was checked. */
  find(id: Id): { readonly token?: string | undefined; readonly claims?: Members | undefined }
  /** Goes out with the answer to `id`. */
  give(id: Id, token: string): void
}

export interface SessionTokens {
  readonly desk: IdentityDesk
  /** Begins the identity session at the first use. Rejects as `openSession`. */
  open(): Promise<IdentitySession>
  /** Id of the newest token that was handed out. */
  given: string | undefined
}

/** @param sessionId of the proxied session, which its tokens name when it is a UUID */
export function createTokens(desk: IdentityDesk, sessionId: string): SessionTokens {
  const id = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(sessionId) ? sessionId : undefined
  let opened: Promise<IdentitySession> | undefined
  return {
    desk,
    given: undefined,
    open() {
      opened ??= desk.openSession(id)
      opened.catch(() => {
        opened = undefined
      })
      return opened
    },
  }
}
