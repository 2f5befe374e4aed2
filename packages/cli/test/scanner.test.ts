/** What `sworn` looks for before it records: wired by default, and named in the ledger. @module */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAll } from '../src/open-recorder.ts'
import { temporary } from './support/io.ts'

const GROQ = `gsk_${'FAKE0fake1'.repeat(6)}`.slice(0, 56)
const TWILIO = `SK${'0fake1face2'.replaceAll('k', 'c').repeat(3)}`.slice(0, 34)

test('a recorder that nobody told anything masks what only the injected scanner knows, and log.start names it', async () => {
  const path = join(temporary(), 'audit')
  const surroundings = { signals: process, say: () => {}, here: true }
  const { recorder } = await openAll({ path, cwd: temporary(), env: { SWORN_HOME: temporary() } }, surroundings)
  const text = `first ${GROQ} then ${TWILIO}`
  await recorder.record({ event_type: 'tool_call_end', result: text, arguments: { deep: [text] }, reason: text })
  await recorder.close()
  const ledger = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'))
  const lines = ledger.map((name) => readFileSync(join(path, name), 'utf8')).join('')
  for (const secret of [GROQ, TWILIO]) assert.ok(!lines.includes(secret))
  assert.equal(lines.split('[REDACTED:groq_key] then [REDACTED:twilio_key]').length, 4)
  const start = lines.split('\n').find((line) => line.includes('"log.start"'))
  assert.match(JSON.parse(start ?? '{}').scanner.hash, /^sha256:[0-9a-f]{64}$/)
})
