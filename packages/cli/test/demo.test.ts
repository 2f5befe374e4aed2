/** The main job, whole: `npm start` and `sworn demo` as a user runs them. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { later } from '../../../testkit/src/suite.ts'
import { temporary } from './support/io.ts'

const run = promisify(execFile)
const NODE = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source']
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What both must show: masked secret, denied write, broken rule, claims, forgeries. */
function checkStory(out: string): void {
  assert.match(out, /read_text_file deploy\.txt → .*\[REDACTED:github_token\]/)
  assert.match(out, /write_file notes\.txt → refused/)
  assert.match(out, /read_text_file private\.key → refused/)
  assert.match(out, /notes\.txt still reads "Buy milk/)
  assert.match(out, /create_directory private → refused: .*User denied/)
  assert.match(out, /there is directory reports, and none called private/)
  assert.match(out, /tool {6}"create_directory"[\s\S]*\n {3}> yes \d{6}\n[\s\S]*\n {3}> no\n/)
  assert.match(out, /approval_requested/)
  assert.match(out, /authorization_decision {2}DENY {2}write_file/)
  assert.match(out, /\nsigned holds: /)
  assert.match(out, /entry_hash_mismatch/)
  assert.match(out, /truncated_below_checkpoint/)
  assert.match(out, /root_mismatch/)
  assert.match(out, /3 of 3 forgeries were caught/)
  assert.doesNotMatch(out, /ghp_/)
}

test('npm start records a real session, verifies it and catches three forgeries; an old ledger is moved aside', {
  timeout: 180_000,
}, async () => {
  const cwd = temporary()
  const ledger = join(cwd, 'audit')
  mkdirSync(ledger)
  const script = file('../../../examples/main-job/run.ts')
  const { stdout } = await run(process.execPath, [...NODE, script], { env: { ...process.env, SWORN_EXAMPLE_LEDGER: ledger } })
  checkStory(stdout)
  assert.match(stdout, /^an earlier ledger was moved aside to /)
  assert.equal(readdirSync(cwd).length, 2)
  assert.ok(existsSync(join(ledger, 'checkpoint')))
})

test('sworn demo tells the same story with the server that ships with it', { skip: later, timeout: 180_000 }, async () => {
  const { stdout } = await run(process.execPath, [...NODE, file('../src/bin.ts'), 'demo'], { cwd: temporary() })
  checkStory(stdout)
})
