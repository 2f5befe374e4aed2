/**
 * Who delivers a ledger: at most one process, found out as for recording, by a lock of its own beside that one.
 *
 * Held by whichever process has sinks, so that delivery goes on when another one records without them. Like the ledger's
 * lock it does not reach over network namespaces.
 * BUG: two containers that share a ledger's directory and both have sinks both deliver; each sink gets entries twice,
 * with the same key. Way out: configure sinks in one of them.
 * @module
 */
import { acquireLock, type Lock } from './lock.ts'
import { findPlaces, nodePlatform } from './platform.ts'

/**
 * @param directory the ledger's directory, in file mode `<file>.ledger`; it exists
 * @returns undefined when another process delivers
 * @throws SwornError IO_FAILED
 */
export function acquireDelivery(directory: string): Promise<Lock | undefined> {
  return acquireBeside(directory, 'd')
}

/**
 * Who looks for alerts in a ledger: of those that record it at most one, also where one process has it open twice.
 *
 * @param directory as above
 * @throws SwornError IO_FAILED
 */
export function acquireAlerting(directory: string): Promise<Lock | undefined> {
  return acquireBeside(directory, 'a')
}

function acquireBeside(directory: string, suffix: string): Promise<Lock | undefined> {
  const platform = nodePlatform()
  const places = findPlaces(directory, platform)
  return acquireLock({ ...places, lockAddress: `${places.lockAddress}${suffix}` }, platform)
}
