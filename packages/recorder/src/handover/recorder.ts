/**
 * The recorder role: this process holds the lock, listens, and appends.
 *
 * Order, always: lock, data socket that is known to be ours, ledger. Letting go runs backwards, so a
 * successor never meets an open ledger. Before every commit the socket's name must still lead here: a
 * process that was paused while another took over steps down without writing; the ledger's own
 * fences cover the moment between that look and the write. Source: docs/format.md, several processes.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { SwornError } from '@sworn/verify'
import type { Operation } from '../ledger/operate.ts'
import { createGroupCommit, fencedError } from '../port/group-commit.ts'
import { itemOf } from '../port/packed-submission.ts'
import { type Endpoint, openEndpoint } from './endpoint.ts'
import { type Lock, removeHolder, writeHolder } from './lock.ts'
import { type KnownEntry, PROTOCOL_VERSIONS } from './messages.ts'
import type { Role } from './role.ts'
import type { OpenedLedger, SessionHost } from './session.ts'
import type { Setup, SharedLedger } from './setup.ts'

/** How often an idle recorder looks whether the socket's name still leads to it. */
const LOOK_MS = 1_000

/** Whether this recorder may still write. */
interface Fence {
  /** Looks now; false for ever once the name led elsewhere. */
  holds(): boolean
  readonly fallen: () => boolean
  readonly onFall: Promise<void>
}

/** Lets the ledger's descriptor go without writing. */
interface Abandon {
  readonly abandon: () => void
}

/**
 * Becomes the recorder under `lock`, which it owns from here on.
 *
 * @returns undefined when another recorder won the data socket
 * @throws SwornError LEDGER_* as opening found, ACKNOWLEDGED_LOST, IO_FAILED; lock and socket are free again
 */
export async function becomeRecorder(setup: Setup, lock: Lock, newest: KnownEntry | undefined): Promise<Role | undefined> {
  const opening = Promise.withResolvers<OpenedLedger>()
  opening.promise.catch(() => undefined) // without clients nobody else listens
  let endpoint: Endpoint | undefined
  try {
    endpoint = await openEndpoint(setup.places, setup.platform, createHost(setup, opening.promise))
    if (endpoint) {
      writeHolder(setup.places, { pid: process.pid, boot: setup.platform.bootId, started: new Date().toISOString() })
      const fence = createFence(endpoint)
      const opened = openChecked(setup, fence, newest)
      opening.resolve(opened)
      for (let turn = 0; turn < 2; turn++) await setImmediate() // who came meanwhile is greeted first: the second turn begins with them
      return createRecorder(setup, opened, fence, () => letGo(setup, endpoint, lock))
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

function createFence(endpoint: Endpoint): Fence {
  const { promise: onFall, resolve: fall } = Promise.withResolvers<void>()
  let fallen = false
  return {
    onFall,
    fallen: () => fallen,
    holds() {
      if (!fallen && !endpoint.isOurs()) {
        fallen = true
        fall()
      }
      return !fallen
    },
  }
}

function openChecked(setup: Setup, fence: Fence, newest: KnownEntry | undefined): OpenedLedger & Abandon {
  const ledger = fenced(setup.openLedger(newest), fence)
  const holds = (entry: KnownEntry) => ledger.info.logId === entry.logId && ledger.holds(entry.seq, entry.entryHash)
  if (newest && !holds(newest)) {
    ledger.abandon() // read-only from here on: not even log.stop
    throw new SwornError('ACKNOWLEDGED_LOST', 'an acknowledged event is not in the ledger', `seq=${newest.seq}`)
  }
  const commit = createGroupCommit(ledger, { syncDelayMs: setup.syncDelayMs, syncsAside: setup.syncsAside ?? false })
  const permits = (permit: string, operation: Operation) => setup.permits.take(ledger.info.logId, permit, operation)
  return { commit, holds, permits, fenced: fence.fallen, abandon: () => ledger.abandon() }
}

/** The same ledger, untouched once the fence fell. */
function fenced(ledger: SharedLedger, fence: Fence): SharedLedger {
  const { appendAside } = ledger
  return {
    info: ledger.info,
    get unsyncedBytes() {
      return ledger.unsyncedBytes
    },
    append: (items) => (fence.holds() ? ledger.append(items) : items.map(fencedError)),
    ...(appendAside && {
      appendAside: (items: Parameters<typeof appendAside>[0], done: () => void) =>
        fence.holds() ? appendAside(items, done) : { waits: false, answers: () => items.map(fencedError) },
    }),
    sync() {
      if (!fence.holds()) throw fencedError()
      ledger.sync()
    },
    syncAside(done) {
      if (!fence.holds()) throw fencedError()
      return ledger.syncAside?.(done) ?? false
    },
    tick() {
      if (fence.holds()) ledger.tick()
    },
    nextTickAt: () => ledger.nextTickAt(),
    reserve: (step) => ledger.reserve(step),
    holds(seq, entryHash) {
      if (!fence.holds()) throw fencedError()
      return ledger.holds(seq, entryHash)
    },
    reopen() {
      if (!fence.holds()) throw fencedError()
      ledger.reopen()
    },
    operate(operation) {
      if (!fence.holds()) throw fencedError()
      return ledger.operate(operation)
    },
    close() {
      if (fence.holds()) ledger.close()
      else ledger.abandon()
    },
    abandon: () => ledger.abandon(),
  }
}

function createRecorder(setup: Setup, { commit, abandon }: OpenedLedger & Abandon, fence: Fence, release: () => Promise<void>): Role {
  const look = setInterval(() => fence.holds(), LOOK_MS)
  look.unref()

  async function close(): Promise<void> {
    clearInterval(look)
    try {
      commit.close()
    } finally {
      await release()
    }
  }

  const lost = fence.onFall.then(() => {
    clearInterval(look)
    commit.abandon()
    abandon()
    return release()
  })

  return {
    kind: 'recorder',
    info: commit.info,
    pid: process.pid,
    lost,
    async submit(batch) {
      const answers = await commit.append(batch.map((submission) => itemOf(submission, setup.producerId)))
      return fence.fallen() ? undefined : answers
    },
    reserve: async (step) => (fence.fallen() ? undefined : commit.reserve(step)),
    async flush() {
      if (fence.holds()) commit.flush()
      return fence.fallen() ? undefined : true
    },
    async reopen() {
      if (fence.holds()) commit.reopen()
      return fence.fallen() ? undefined : true
    },
    operate: async (operation) => (fence.holds() ? commit.operate(operation) : undefined),
    close,
    flushSync: () => fence.holds() && succeeds(() => commit.flush()),
    closeSync() {
      clearInterval(look)
      return fence.holds() && succeeds(() => commit.close())
    },
  }
}

function succeeds(step: () => void): boolean {
  try {
    step()
    return true
  } catch (error) {
    if (SwornError.is(error)) return false
    throw error
  }
}

async function letGo(setup: Setup, endpoint: Endpoint | undefined, lock: Lock): Promise<void> {
  await endpoint?.close()
  removeHolder(setup.places, process.pid)
  await lock.release()
}
