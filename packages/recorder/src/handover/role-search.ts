/**
 * Keeps a process in a role: finds the first, notices its loss, finds the next.
 *
 * A holder that does not answer, a full disk and the like are waited out. What the ledger itself says
 * (rollback, fork, corrupt, acknowledged_lost…) is for good: it is read-only until the operator decides.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SwornError } from '@sworn/verify'
import { establish } from './establish.ts'
import type { KnownEntry } from './messages.ts'
import type { Role } from './role.ts'
import type { Setup } from './setup.ts'

export interface RoleSearch {
  /** Finds the first role. @throws SwornError as `establish` */
  start(): Promise<Role>
  readonly role: () => Role | undefined
  /** Why there will never be a role again. */
  readonly fatal: () => SwornError | undefined
  /** What the latest attempt met, while there is no role. */
  readonly trouble: () => SwornError | undefined
  /** Resolves when there is a role or `fatal` is set. */
  readonly ready: () => Promise<void>
  /** Closes the role and ends the search. */
  stop(): Promise<void>
}

export interface RoleEvents {
  readonly adopted: (role: Role) => void
  readonly failed: (error: SwornError) => void
  /** An attempt failed; another follows. */
  readonly troubled: (error: SwornError) => void
  /** What is presented to the next recorder. */
  readonly newest: () => KnownEntry | undefined
}

/** Pause after a refusal that may pass. */
const RETRY_MS = 250

export function createRoleSearch(setup: Setup, events: RoleEvents): RoleSearch {
  let role: Role | undefined
  let fatal: SwornError | undefined
  let ready = Promise.withResolvers<void>()
  let trouble: SwornError | undefined
  let stopped = false

  function adopt(next: Role): void {
    role = next
    trouble = undefined
    events.adopted(next)
    ready.resolve()
    void next.lost.then(() => {
      role = undefined
      ready = Promise.withResolvers()
      void search()
    })
  }

  async function search(): Promise<void> {
    while (!stopped && !fatal) {
      const found = await establish(setup, events.newest()).catch(toSwornError)
      if (!SwornError.is(found)) return stopped ? found.close() : adopt(found)
      trouble = found
      if (isFinal(found)) fail(found)
      else {
        events.troubled(found)
        await sleep(RETRY_MS)
      }
    }
  }

  function fail(error: SwornError): void {
    fatal = error
    events.failed(error)
    ready.resolve()
  }

  return {
    role: () => role,
    fatal: () => fatal,
    trouble: () => trouble,
    ready: () => ready.promise,
    async start() {
      const first = await establish(setup, undefined)
      adopt(first)
      return first
    },
    async stop() {
      stopped = true
      const last = role
      role = undefined
      await last?.close()
    },
  }
}

function isFinal({ code }: SwornError): boolean {
  return code === 'ACKNOWLEDGED_LOST' || (code.startsWith('LEDGER_') && code !== 'LEDGER_BUSY' && code !== 'LEDGER_CLOSED')
}

function toSwornError(cause: unknown): SwornError {
  return SwornError.is(cause) ? cause : new SwornError('RECORDER_UNAVAILABLE', 'the recorder failed unexpectedly', '', { cause })
}
