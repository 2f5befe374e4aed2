/** Temporary directories that are gone when the test file is. @module */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** Call it where the file or the test begins, not in a hook: a hook's own end would remove it. */
export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sworn-e2e-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
