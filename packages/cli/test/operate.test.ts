/** docs/guides/operate.md: its very commands run, section by section, and print what the page shows. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { later } from '../../../testkit/src/suite.ts'
import { checkSection, readSections } from './support/guide.ts'

const GUIDE = fileURLToPath(new URL('../../../docs/guides/operate.md', import.meta.url))
const sections = readSections(readFileSync(GUIDE, 'utf8'), 'What stands where')
const MOUNT = 'mount -t tmpfs -o size=1m tmpfs disk'
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

test('the guide has a section for each thing an operator meets, and each has commands', () => {
  assert.deepEqual(
    sections.map(({ title }) => title),
    [
      'What stands where',
      'Stop a recorder',
      'Upgrade',
      'Move or copy a ledger',
      'Back up and restore',
      'Lost key',
      'Full disk and back',
      'Uninstall',
    ],
  )
  for (const { title, steps } of sections) assert.ok(steps.length >= 3, title)
})

for (const section of sections) {
  const full = section.title === 'Full disk and back'
  const skip =
    full && !canMount
      ? 'SKIPPED: no tmpfs can be mounted here; a full disk is then shown by the faults of recorder/test/crash.test.ts alone'
      : false
  test(
    `the commands of "${section.title}" print what the guide shows${full ? ', on a file system of 1 MiB' : ''}`,
    {
      timeout: 300_000,
      skip: skip || (section !== sections[0] && later),
    },
    () => (full ? checkSection(section, MOUNT, ['unshare', '-m']) : checkSection(section)),
  )
}
