/**
 * The port onto a ledger in this thread.
 *
 * Used where the ledger already lives beside the caller: inside the appender worker and in tests.
 * Promise: answers in call order; after `close` every submission is answered LEDGER_CLOSED.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { type AppendableLedger, createGroupCommit, type GroupCommitOptions } from './group-commit.ts'
import { itemOf } from './packed-submission.ts'
import type { Port } from './types.ts'

export interface LocalPortOptions extends GroupCommitOptions {
  /** Names this producer in the dedupe key; unique per process. */
  readonly producerId?: string
}

/** A port that commits in this thread; it owns `ledger` from here on. */
export function createLocalPort(ledger: AppendableLedger, options: LocalPortOptions = {}): Port {
  const { producerId = 'local' } = options
  const commit = createGroupCommit(ledger, options)
  return {
    info: ledger.info,
    submit: (batch) => commit.append(batch.map((submission) => itemOf(submission, producerId))),
    reserve: async (step) => commit.reserve(step),
    flush: async () => commit.flush(),
    reopen: async () => commit.reopen(),
    flushSync() {
      try {
        commit.flush()
        return true
      } catch (error) {
        if (SwornError.is(error)) return false
        throw error
      }
    },
    close: async () => commit.close(),
  }
}
