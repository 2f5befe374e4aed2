/**
 * `sworn metrics`: the numbers of a ledger as Prometheus reads them, once, for scripts and the textfile collector.
 *
 * What `sworn serve` answers at `/metrics`, without what only its process knows.
 * @module
 */
import { createObservations } from '@sworn/analyze/actions'
import { findLedger } from '@sworn/analyze/reading'
import { openMetrics, toVerified, type Verified, writeVerified } from '@sworn/deliver/metrics'
import { SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { indexFamilies } from '../index-families.ts'
import { checkLedger } from '../reading/check.ts'
import { ledgerPath, stateDirectory } from '../reading/location.ts'
import { readOpening } from '../reading/opening.ts'

/** However long the ledger is: whoever asks once waits. */
const UNLIMITED_MS = 86_400_000

export const metrics = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    verify: { type: 'boolean', about: 'verify the ledger first, say which claims hold, and leave that where sworn serve shows it' },
  },
  example: 'sworn metrics ./audit --verify',
  notes: [
    'Text format 0.0.4 on stdout. Entries are counted from the position up to which they were counted before, whoever did that.',
    'sworn serve answers the same at /metrics. Names, dashboard and alert rules: docs/guides/metrics.md.',
    'Exit 3: the ledger could not be read.',
  ],
  async run([path], flags, io) {
    const files = findLedger(await ledgerPath(io, path), io.cwd)
    const verified = flags.verify ? await verify(files, io) : undefined
    const { origin = '' } = await readOpening(files)
    const numbers = openMetrics({
      ...{ path: files.path, origin, strict: true },
      index: () => indexFamilies(files.directory),
      ...(verified && { verified: () => verified }),
      openObserver: createObservations,
    })
    try {
      await io.out((await numbers.text(UNLIMITED_MS)).trimEnd())
    } finally {
      await numbers.close()
    }
    return 0
  },
})

/** What `sworn verify` says; left beside the ledger, where `sworn serve` finds it. */
async function verify(files: ReturnType<typeof findLedger>, io: Io): Promise<Verified> {
  const { signal } = io
  const report = await checkLedger(files, { strict: false, now: io.now(), cwd: io.cwd, state: stateDirectory(io), signal })
  const verified = toVerified(report, io.now())
  try {
    if (files.directory !== undefined) writeVerified(files.directory, verified)
  } catch (e) {
    if (!SwornError.is(e, 'IO_FAILED')) throw e
    io.say('info', `not left beside the ledger: ${e.message}`) // whoever may only read still has the page
  }
  return verified
}
