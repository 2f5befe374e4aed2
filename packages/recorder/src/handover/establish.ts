/**
 * Finding a role: hand over to a living recorder, or become it.
 *
 * The data socket decides, not the lock: a lock name proves nothing across network namespaces. No rule
 * depends on age. Source: docs/format.md, several processes.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SwornError } from '@sworn/verify'
import { openClient } from './client.ts'
import { type Contact, meet } from './contact.ts'
import { acquireLock, busy, type Lock, readHolder } from './lock.ts'
import type { KnownEntry } from './messages.ts'
import { becomeRecorder } from './recorder.ts'
import type { Role } from './role.ts'
import type { Setup } from './setup.ts'

const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 50

/**
 * Tries until there is a role.
 *
 * @param newest the newest durable acknowledgement this producer holds; presented to whoever records
 * @throws SwornError LEDGER_BUSY naming the holder, ACKNOWLEDGED_LOST, LEDGER_* as opening found
 */
export async function establish(setup: Setup, newest: KnownEntry | undefined): Promise<Role> {
  const { patience, places, spawnRecorder } = setup
  const start = performance.now()
  spawnRecorder && (await isGone(setup)) && spawnRecorder()
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const waitedMs = performance.now() - start
    const mayRecord = !spawnRecorder || waitedMs > patience.spawnMs
    const met = await handOver(setup, newest)
    const role = met === 'nobody' && mayRecord ? await takeOver(setup, newest) : met
    if (typeof role === 'object') return role
    if (waitedMs > patience.greetMs + (spawnRecorder ? patience.spawnMs : 0)) throw busy(places, 'no data socket answers')
    await sleep(pauseMs * (0.5 + Math.random())) // racers that start together must not stay together
  }
}

async function isGone(setup: Setup): Promise<boolean> {
  const contact = await meet(setup.places.dataAddress, setup.patience.greetMs)
  if (contact.kind === 'met') contact.line.socket.destroy()
  return contact.kind === 'dead' || contact.kind === 'leaving'
}

/** The client role, when a recorder answers. `leaving`: one hangs up at this moment, so nobody may take its place yet. */
async function handOver(setup: Setup, newest: KnownEntry | undefined): Promise<Role | 'nobody' | 'leaving'> {
  const contact = await meet(setup.places.dataAddress, setup.patience.greetMs)
  if (contact.kind === 'leaving') return 'leaving'
  return (contact.kind === 'dead' ? undefined : await join(setup, contact, newest)) ?? 'nobody'
}

type Answering = Exclude<Contact, { readonly kind: 'dead' | 'leaving' }>

async function join(setup: Setup, contact: Answering, newest: KnownEntry | undefined): Promise<Role | undefined> {
  const { places, patience, producerId, swornVersion, permits } = setup
  if (contact.kind === 'forbidden') throw busy(places, 'its data socket refuses this user; give each its own ledger, or share one recorder')
  if (contact.kind === 'foreign') throw busy(places, 'its data socket belongs to another user; give each its own ledger')
  if (contact.kind === 'silent') throw busy(places, `its data socket did not answer within ${patience.greetMs} ms`)
  return openClient(contact.line, contact.greeting, {
    producerId,
    swornVersion,
    newest,
    permits,
    welcomeTimeoutMs: patience.welcomeMs,
  })
}

/** The recorder role, when the lock is free and still nobody answers under it. */
async function takeOver(setup: Setup, newest: KnownEntry | undefined): Promise<Role | undefined> {
  const lock = await acquireLock(setup.places, setup.platform)
  if (!lock) return undefined
  const met = await joinUnder(lock, setup, newest)
  if (met === 'leaving') return undefined
  return met === 'nobody' ? becomeRecorder(setup, lock, newest) : met
}

/** Asks once more under the lock: the holder may be in another network namespace, or on another host. */
async function joinUnder(lock: Lock, setup: Setup, newest: KnownEntry | undefined): Promise<Role | 'nobody' | 'leaving'> {
  let free = false
  try {
    const met = await handOver(setup, newest)
    if (met === 'nobody') checkBoot(setup)
    free = met === 'nobody'
    return met
  } finally {
    if (!free) await lock.release()
  }
}

/** A dead socket on a shared file system says nothing about a holder on another machine. */
function checkBoot({ places, platform }: Setup): void {
  const holder = readHolder(places)
  const elsewhere = holder !== undefined && holder.boot !== platform.bootId && platform.isShared(places.directory)
  if (elsewhere)
    throw new SwornError(
      'LEDGER_BUSY',
      `process ${holder.pid} of another container or host holds this ledger; give each its own, or share one recorder`,
      places.directory,
    )
}
