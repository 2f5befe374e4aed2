/** Which files of an agent's own hold hooks of ours, looked at again only where they changed. @module */
import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { findOwnFiles, rememberOwnFiles } from '../src/agents/own-files.ts'
import { temporary } from './support/io.ts'

/** All files have rested. */
const later = () => Date.now() + 10_000
const OURS = '{"hooks": {"Stop": "sworn hook claude-code Stop --installed"}}'
const THEIRS = '{"hooks": {"Stop": "other hook claude-code Stop --foreign--"}}'

function place() {
  const [cwd, homeDirectory] = [temporary(), temporary()]
  mkdirSync(join(cwd, '.claude'))
  const io = { platform: 'linux', env: { CLAUDE_CONFIG_DIR: join(homeDirectory, '.claude') }, homeDirectory, cwd } as const
  return { io, file: join(cwd, '.claude', 'settings.json') }
}

/** What happens to a file. @param pad makes each text another length */
const stepsOf = (pad: () => string) => ({
  ours: (file: string) => writeFileSync(file, OURS + pad()),
  theirs: (file: string) => writeFileSync(file, THEIRS + pad()),
  gone: (file: string) => rmSync(file, { force: true }),
  replaced: (file: string) => {
    writeFileSync(`${file}.new`, THEIRS + pad())
    renameSync(`${file}.new`, file)
  },
  'theirs, as old as before': (file: string) => {
    const before = statSync(file, { throwIfNoEntry: false })
    writeFileSync(file, THEIRS + pad())
    if (before) utimesSync(file, before.atime, before.mtime)
  },
  looked: () => {},
})
const NAMES = ['ours', 'theirs', 'gone', 'replaced', 'theirs, as old as before', 'looked'] as const

function checkSteps(now: () => number, pad: (n: number) => string): void {
  let n = 0
  const steps = stepsOf(() => pad(n++))
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...NAMES), { maxLength: 12 }), (names) => {
      const { io, file } = place()
      const find = rememberOwnFiles(now)
      for (const name of names) {
        steps[name](file)
        assert.deepEqual(find('claude-code', io), findOwnFiles('claude-code', io))
      }
    }),
    { numRuns: 50 },
  )
}

test('a file that is remembered is read again when it is saved, replaced, removed or set back in time', () => {
  checkSteps(later, (n) => ' '.repeat(n % 100))
})

test('a file that was just saved is not remembered: the next save may leave the same time and size', () => {
  checkSteps(Date.now, () => '')
})

test('a file that rested is read once, and is of each client of its own', () => {
  const { io, file } = place()
  writeFileSync(file, OURS)
  const find = rememberOwnFiles(later)
  assert.deepEqual(find('claude-code', io), [file])
  const { ino } = statSync(file)
  assert.deepEqual(find('claude-code', io), [file])
  assert.deepEqual(find('codex', io), [])
  writeFileSync(file, `${THEIRS} `)
  assert.equal(statSync(file).ino, ino)
  assert.deepEqual(find('claude-code', io), [])
})
