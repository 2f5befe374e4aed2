/**
 * The copy of what a ledger holds about one person: their entries as stored, and beside a file what it is.
 * Source: GDPR Art. 15(3).
 * @module
 */
import { rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { OpenSource } from '@sworn/analyze'
import { toScope } from '@sworn/analyze/report'
import type { Report as Verification } from '@sworn/verify'
import { openLineFile } from '../dialects/line-file.ts'
import type { Io } from '../frame/io.ts'
import { VERSION } from '../frame/version.ts'

export interface CopyOptions {
  readonly subject: string
  readonly since: number | undefined
  readonly until: number | undefined
  /** Absolute; stdout when absent. */
  readonly output: string | undefined
  /** Absent: not checked. */
  readonly verification: Verification | undefined
}

/** @returns how many entries were copied */
export async function copyEntries(source: OpenSource, options: CopyOptions, io: Io): Promise<number> {
  const { output } = options
  if (output === undefined) return writeLines(source, options, io, io.out)
  rmSync(`${output}.manifest.json`, { force: true }) // of a copy before: it says nothing of this one
  const file = openLineFile(output)
  try {
    const count = await writeLines(source, options, io, file.write)
    const written = await file.close()
    writeFileSync(`${output}.manifest.json`, formatManifest(options, { name: basename(output), ...written }, io.now()), { mode: 0o600 })
    return count
  } catch (e) {
    file.discard()
    throw e
  }
}

type Write = (line: string) => Promise<void> | void

async function writeLines(source: OpenSource, options: CopyOptions, io: Io, write: Write): Promise<number> {
  let count = 0
  for await (const { line } of source.find({ filter: toScope(options), order: { sort: 'seq', descending: false }, passing: true })) {
    io.signal.throwIfAborted()
    await write(line.toString('utf8'))
    count++
  }
  return count
}

function formatManifest({ subject, since, until, verification }: CopyOptions, file: object, now: number): string {
  const moment = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())
  const manifest = {
    manifest: 'sworn copy 1',
    sworn: VERSION,
    created: moment(now),
    subject,
    since: moment(since),
    until: moment(until),
    file,
    ledger: {
      origin: verification?.origin ?? null,
      size: verification?.size ?? null,
      head: verification?.head ?? null,
      claims: verification ? Object.fromEntries(Object.entries(verification.levels).map(([claim, { holds }]) => [claim, holds])) : null,
    },
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}
