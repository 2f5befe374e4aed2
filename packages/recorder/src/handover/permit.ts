/**
 * That an operator keeps the ledger's keys: the socket alone lets a process record, not erase or prune.
 *
 * Each step is announced by a file beside the keys, in the state directory: a random name, and in it the hash of the step.
 * The recorder takes it away and compares before it does anything, so a permit holds once and for this step alone. A process
 * in a sandbox that was given the socket cannot make one. Source: docs/threat-model.md.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SwornError } from '@sworn/verify'
import canonicalize from 'canonicalize'
import { keyLayout } from '../ledger/layout.ts'
import type { Operation } from '../ledger/operate.ts'
import { parseOperation } from './operation-messages.ts'

export interface Permits {
  /** Runs `ask` with a permit for `operation`, and leaves no file behind. @throws SwornError LEDGER_STATE_MISSING without the keys' folder */
  readonly with: <T>(logId: string, operation: Operation, ask: (permit: string) => Promise<T>) => Promise<T>
  /** True once for what `with` announced. @param permit hostile */
  readonly take: (logId: string, permit: string, operation: Operation) => boolean
}

const NAME = /^[0-9a-f]{32}$/
const DIGEST_CHARS = 64

/** @param home the state directory, SWORN_HOME */
export function createPermits(home: string): Permits {
  const fileOf = (logId: string, permit: string) => join(keyLayout(home, logId).directory, `permit-${permit}`)
  return {
    async with(logId, operation, ask) {
      const permit = randomBytes(16).toString('hex')
      const file = fileOf(logId, permit)
      announce(file, digestOf(operation))
      try {
        return await ask(permit)
      } finally {
        rmSync(file, { force: true })
      }
    },
    take(logId, permit, operation) {
      return NAME.test(permit) && takeFile(fileOf(logId, permit)) === digestOf(operation)
    },
  }
}

function announce(file: string, digest: string): void {
  try {
    writeFileSync(file, digest, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    throw new SwornError('LEDGER_STATE_MISSING', 'erasing, pruning and packing are for who keeps the keys of this ledger', file, { cause })
  }
}

/** What the file says, which is gone then; undefined for anything but a small file. */
function takeFile(file: string): string | undefined {
  try {
    const fd = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    try {
      if (!fstatSync(fd).isFile()) return undefined
      const bytes = Buffer.alloc(DIGEST_CHARS + 1)
      return bytes.toString('latin1', 0, readSync(fd, bytes))
    } finally {
      closeSync(fd)
      rmSync(file, { force: true })
    }
  } catch {
    return undefined // there is none
  }
}

/** Of the step as it crosses. */
function digestOf(operation: Operation): string {
  return createHash('sha256')
    .update(canonicalize(parseOperation(operation) ?? operation) ?? '')
    .digest('hex')
}
