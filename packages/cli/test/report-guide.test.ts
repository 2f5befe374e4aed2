/** docs/guides/reports.md: its very commands run, section by section, and print what the page shows. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { later } from '../../../testkit/src/suite.ts'
import { checkSection, readSections } from './support/guide.ts'

const GUIDE = fileURLToPath(new URL('../../../docs/guides/reports.md', import.meta.url))
const sections = readSections(readFileSync(GUIDE, 'utf8'), 'Introduction').filter(({ steps }) => steps.length > 0)
const noJq =
  spawnSync('jq', ['--version']).status === 0 ? false : 'SKIPPED: jq is not on this machine; the commands of the guide did not run'

const call = (n: number, user: string, decision: string) => ({
  event_type: 'authorization_decision',
  decision,
  reason_code: decision === 'deny' ? 'tool_denied' : 'default_allow',
  tool: 'search_database',
  server: 'crm',
  user,
  correlation_id: `c-${n}`,
  arguments: { query: 'open invoices', limit: 10 },
})
const end = (n: number, user: string, members: object) => ({
  tool: 'search_database',
  server: 'crm',
  user,
  correlation_id: `c-${n}`,
  ...members,
})
const EVENTS = [
  call(1, 'alice@example.com', 'allow'),
  end(1, 'alice@example.com', { event_type: 'tool_call_end', duration_ms: 20 }),
  call(2, 'alice@example.com', 'allow'),
  end(2, 'alice@example.com', { event_type: 'tool_call_error', duration_ms: 140, error: 'no connection' }),
  call(3, 'bob@example.com', 'allow'),
  end(3, 'bob@example.com', { event_type: 'tool_call_end', duration_ms: 50 }),
  call(4, 'bob@example.com', 'deny'),
  { event_type: 'data_access', target: 'mail of alice@example.com', user: 'bob@example.com' },
]
/** Samples are drawn below the newest signed checkpoint, which the recorder writes within a second or so. */
const SIGNED =
  'n=0; until [ "$(sed -n 2p audit/checkpoint 2>/dev/null)" -gt 8 ] 2>/dev/null || [ $n -eq 400 ]; do n=$((n+1)); sleep 0.05; done'
const BEFORE = `printf '%s\\n' ${EVENTS.map((event) => `'${JSON.stringify(event)}'`).join(' ')} | sworn record audit > seqs; ${SIGNED}`

test('the guide has a section for each use, and each has commands', () => {
  assert.deepEqual(
    sections.map(({ title }) => title),
    ['The last day', 'Evidence for a framework', 'One person'],
  )
})

for (const section of sections)
  test(`the commands of "${section.title}" print what the guide shows`, { timeout: 120_000, skip: noJq || later }, () =>
    checkSection(section, BEFORE),
  )
