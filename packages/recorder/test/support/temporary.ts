/** Temporary directories that are gone when the test file is. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** The path of a ledger that does not exist yet, with room for its keys beside it. */
export function temporaryLedger(): string {
  return join(temporaryDirectory(), 'ledger')
}

/** Call it where the file or the test begins, not in a hook: a hook's own end would remove it. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sworn-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
