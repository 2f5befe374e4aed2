/**
 * The recorder role: this process holds the lock, listens, and appends.
 *
 * Order, always: lock, data socket that is known to be ours, ledger. Letting go runs backwards, so a
 * successor never meets an open ledger. When another recorder took the socket's name (two network
 * namespaces that started together) this one steps down; the ledger's own fences held meanwhile.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { SwornError } from '@sworn/verify'
import { createGroupCommit, type GroupCommit } from '../port/group-commit.ts'
import { type Endpoint, openEndpoint } from './endpoint.ts'
import { type Lock, removeHolder, writeHolder } from './lock.ts'
import { type KnownEntry, PROTOCOL_VERSIONS } from './messages.ts'
import type { Role } from './role.ts'
import type { OpenedLedger, SessionHost } from './session.ts'
import type { Setup, SharedLedger } from './setup.ts'

/** How often the recorder looks whether the socket's name still leads to it. */
const LOOK_MS = 1_000

/**
 * Becomes the recorder under `lock`, which it owns from here on.
 *
 * @returns undefined when another recorder won the data socket
 * @throws SwornError LEDGER_* as opening found, ACKNOWLEDGED_LOST, IO_FAILED; lock and socket are free again
 */
export async function becomeRecorder(setup: Setup, lock: Lock, newest: KnownEntry | undefined): Promise<Role | undefined> {
  const opening = Promise.withResolvers<OpenedLedger>()
  opening.promise.catch(() => undefined) // without clients nobody else listens
  const host = createHost(setup, opening.promise)
  let endpoint: Endpoint | undefined
  try {
    endpoint = await openEndpoint(setup.places, setup.platform, host)
    if (endpoint) {
      writeHolder(setup.places, { pid: process.pid, boot: setup.platform.bootId, started: new Date().toISOString() })
      const opened = openChecked(setup, newest)
      opening.resolve(opened)
      return createRecorder(setup, opened.commit, endpoint, lock)
    }
  } catch (error) {
    opening.reject(error)
    await letGo(setup, endpoint, lock)
    throw error
  }
  await lock.release()
  return undefined
}

function createHost(setup: Setup, opened: Promise<OpenedLedger>): SessionHost {
  const nonce = randomBytes(16).toString('hex')
  let logId = ''
  opened.then(
    ({ commit }) => {
      logId = commit.info.logId
    },
    () => undefined,
  )
  return { opened, greeting: () => ({ versions: PROTOCOL_VERSIONS, sworn: setup.swornVersion, nonce, pid: process.pid, logId }) }
}

function openChecked(setup: Setup, newest: KnownEntry | undefined): OpenedLedger {
  const ledger = setup.openLedger()
  const holds = (entry: KnownEntry) => isHeld(ledger, entry)
  if (newest && !holds(newest)) {
    ledger.close()
    throw new SwornError('ACKNOWLEDGED_LOST', 'an acknowledged event is not in the ledger', `seq=${newest.seq}`)
  }
  return { commit: createGroupCommit(ledger, { syncDelayMs: setup.syncDelayMs }), holds }
}

function isHeld(ledger: SharedLedger, entry: KnownEntry): boolean {
  return ledger.info.logId === entry.logId && ledger.holds(entry.seq, entry.entryHash)
}

function createRecorder(setup: Setup, commit: GroupCommit, endpoint: Endpoint, lock: Lock): Role {
  const { promise: lost, resolve: loseRole } = Promise.withResolvers<void>()
  const look = setInterval(() => {
    if (!endpoint.isOurs()) void stepDown()
  }, LOOK_MS)
  look.unref()
  let steppingDown = false

  async function close(): Promise<void> {
    clearInterval(look)
    try {
      commit.close()
    } finally {
      await letGo(setup, endpoint, lock)
    }
  }

  async function stepDown(): Promise<void> {
    steppingDown = true
    await close().catch(() => undefined) // the other recorder's appends are in the file; our fences say so here
    loseRole()
  }

  return {
    kind: 'recorder',
    info: commit.info,
    pid: process.pid,
    lost,
    async submit(batch) {
      if (steppingDown) return undefined
      return commit.append(batch.map((submission) => ({ ...submission, producerId: setup.producerId })))
    },
    reserve: async (step) => commit.reserve(step),
    async flush() {
      commit.flush()
      return true
    },
    close,
  }
}

async function letGo(setup: Setup, endpoint: Endpoint | undefined, lock: Lock): Promise<void> {
  await endpoint?.close()
  removeHolder(setup.places, process.pid)
  await lock.release()
}
