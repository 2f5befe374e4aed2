/**
 * One page of numbers about a ledger, for Prometheus: rendered here, served by whoever listens.
 *
 * What cannot be read is left out and said so (`sworn_readable`); the rest of the page still answers.
 * @module
 */
import type { Recorder } from '@sworn/recorder'
import { findLedger } from '@sworn/recorder/segments'
import { type Clock, systemClock } from '../clock.ts'
import { createLetterCount } from '../dead-letters.ts'
import { readSinkStatus, sizeOfLedger } from '../status.ts'
import { createCounting } from './counting.ts'
import { countedFamilies, ledgerFamilies, recorderFamilies, sinkFamilies } from './families.ts'
import { type Family, gauge, labelled, renderFamilies, type Sample, toFamilies } from './family.ts'
import type { OpenObserver } from './tally.ts'
import { readVerified, type Verified, verifiedFamilies } from './verified-file.ts'

export interface MetricsOptions {
  /** Of the ledger, absolute; it exists. */
  readonly path: string
  /** The ledger's; empty where it does not say. */
  readonly origin: string
  /** The recorder of this process, where it has one. */
  readonly recorder?: Pick<Recorder, 'stats'>
  /** What others counted. */
  readonly samples?: () => readonly Sample[]
  readonly families?: () => Promise<readonly Family[]>
  /** Tells which entries are about one call; absent: calls are not counted. */
  readonly openObserver?: OpenObserver
  /** How far the index of the ledger is. */
  readonly index?: () => Promise<readonly Family[]>
  /** What a verification of this process said; undefined: what the last one left beside the ledger. */
  readonly verified?: () => Verified | undefined
  /** What cannot be read is an error, instead of being left out; but for the index, which is derived. */
  readonly strict?: boolean
  readonly clock?: Clock
}

export interface Metrics {
  /**
   * Text format 0.0.4. Entries that were added are counted first, for `ms` at most; default 2,000. Beyond that counting
   * goes on by itself, and `sworn_counted_entries` says how far it is.
   * @throws SwornError LINE_MALFORMED, IO_FAILED, SINK_DIVERGED; the file system's errors; only where it is strict
   */
  text(ms?: number): Promise<string>
  /** Keeps what was counted. */
  close(): Promise<void>
}

const CATCH_UP_MS = 2000
const NOTHING = async (): Promise<readonly Family[]> => []

/** @throws SwornError LEDGER_NOT_FOUND */
export function openMetrics(options: MetricsOptions): Metrics {
  const { path, origin, recorder, samples, families = NOTHING, index = NOTHING, verified, strict = false, clock = systemClock } = options
  const files = findLedger(path, '/')
  const countLetters = createLetterCount()
  const counting = createCounting({ files, origin, clock, openObserver: options.openObserver })

  async function page(ms: number): Promise<readonly Family[]> {
    const parts: Readonly<Record<string, () => Promise<readonly Family[]>>> = {
      entries: async () => counting.catchUp(ms).then(() => []),
      ledger: async () => ledgerFamilies(files, await sizeOfLedger(files)),
      sinks: async () => (files.directory === undefined ? [] : sinkFamilies(await readSinkStatus(path, clock.now(), countLetters))),
      verified: async () => {
        const last = verified?.() ?? (files.directory === undefined ? undefined : readVerified(files.directory))
        return last ? verifiedFamilies(last) : []
      },
      index,
      others: families,
    }
    const found: Family[] = []
    const readable: [string, number][] = []
    for (const [name, read] of Object.entries(parts)) {
      const part = await (strict && name !== 'index' ? read() : read().catch(() => undefined))
      readable.push([name, part ? 1 : 0])
      found.push(...(part ?? []))
    }
    return [
      ...countedFamilies(counting.counted()), // also where reading failed: what was counted stays
      ...(recorder ? recorderFamilies(recorder.stats()) : []),
      ...found,
      ...toFamilies(samples?.() ?? []),
      gauge('sworn_readable', '0 where a part of this page could not be read', labelled('part', readable)),
    ]
  }

  return {
    text: async (ms = CATCH_UP_MS) => renderFamilies(await page(ms)),
    close: counting.close,
  }
}
