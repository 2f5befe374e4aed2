/** docs/guides/coding-agents.md: its very commands run and print what the page shows. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { later } from '../../../testkit/src/suite.ts'
import { checkSection, readSections } from './support/guide.ts'

const page = readFileSync(fileURLToPath(new URL('../../../docs/guides/coding-agents.md', import.meta.url)), 'utf8')
const policy = /```yaml\n(apiVersion[\s\S]*?)```/.exec(page)![1]!
const sections = readSections(page, 'Introduction').filter(({ steps }) => steps.length > 0)
/** A recorder that is started for a hook would outlive the test. */
const BEFORE = `cat > agent.yaml <<'END'\n${policy}END\nmkdir -p "$HOME/.claude"\nexport SWORN_RECORDER=off`

test('the guide has commands for installing and for deciding', () => {
  assert.deepEqual(
    sections.map(({ title }) => title),
    ['Install', 'What is decided', 'Over HTTP'],
  )
})

for (const section of sections)
  test(`the commands of "${section.title}" print what the guide shows`, { timeout: 120_000, skip: later }, () =>
    checkSection(section, BEFORE),
  )
