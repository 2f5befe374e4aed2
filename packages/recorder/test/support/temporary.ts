/** Temporary directories that are gone when the test file is. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sworn-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
