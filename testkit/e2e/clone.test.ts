/** A clone after `npm ci`, before anything was built: the command that the README names is there. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const LINKED = resolve('node_modules/.bin/sworn')

test('`npx sworn` runs the sources', async () => {
  assert.equal(realpathSync(LINKED), resolve('packages/cli/sworn.js'))
  const cwd = mkdtempSync(join(tmpdir(), 'sworn-clone-'))
  const { stdout, stderr } = await run(LINKED, ['--version'], { cwd, env: { PATH: `${resolve('node_modules/.bin')}:/usr/bin:/bin` } })
  assert.match(stdout, /^sworn \d+\.\d+\.\d+, format agent-audit-log\/v1, node v24\./)
  assert.equal(stderr, '')
})

test('its exit code, arguments and streams are those of the command', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'sworn-clone-'))
  const ran = run(process.execPath, [LINKED, 'verify', 'no such place'], { cwd })
  await assert.rejects(ran, { code: 3, stdout: '', stderr: /^error: LEDGER_NOT_FOUND .*no such place.*\nhint: .+\n$/ })
})
