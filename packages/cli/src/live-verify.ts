/**
 * The claims about a ledger that this process holds for long, kept current for its `/metrics`.
 * @module
 */
import { resolve } from 'node:path'
import { findLedger } from '@sworn/analyze/reading'
import { systemClock } from '@sworn/deliver'
import { startVerifying, type Verifying, writeVerified } from '@sworn/deliver/metrics'
import { SwornError } from '@sworn/verify'
import type { Io } from './frame/io.ts'
import { checkLedger } from './reading/check.ts'
import { stateDirectory } from './reading/location.ts'
import { parseDuration } from './text/time.ts'

const LOOK_MS = 60_000
const DEFAULT_MS = 86_400_000

/** Milliseconds of a duration; undefined for `never`. @throws SwornError USAGE */
export function parseEvery(text: string | undefined, at: string): number | undefined {
  if (text === 'never') return undefined
  const ms = text === undefined ? DEFAULT_MS : parseDuration(text, at)
  if (ms < LOOK_MS) throw new SwornError('USAGE', 'at least 1m, or never, was expected', at)
  return ms
}

/**
 * Verifies as `sworn verify` does, in this thread's spare turns, and leaves what it found where the next start shows it.
 * @param wholeMs how often all of it is; between, each minute, what was added
 */
export function keepVerified(path: string, wholeMs: number, io: Io): Verifying {
  const files = findLedger(path, io.cwd)
  const [cwd, state] = [resolve(io.cwd), stateDirectory(io)]
  let findings = 0
  return startVerifying({
    ...{ files, clock: systemClock, wholeMs, lookMs: LOOK_MS },
    whole: (signal) => checkLedger(files, { strict: false, now: io.now(), cwd, state, signal, threads: 1 }),
    onVerified(verified) {
      if (verified.findings > findings) io.say('error', `the ledger does not verify: ${verified.findings} findings; run sworn verify`)
      findings = verified.findings
      try {
        if (files.directory !== undefined) writeVerified(files.directory, verified)
      } catch (e) {
        if (!SwornError.is(e, 'IO_FAILED')) throw e // another page shows what was found before
      }
    },
    onFault: (e) => io.say('warn', `the ledger could not be verified: ${SwornError.is(e) ? e.message : 'it cannot be read'}`),
  })
}
