/** docs/guides/operate.md: its very commands run, section by section, and print what the page shows. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporary } from './support/io.ts'
import { SWORN } from './support/process.ts'

const GUIDE = fileURLToPath(new URL('../../../docs/guides/operate.md', import.meta.url))
/** On a line of its own after each command's output. */
const MARK = '--- end of the command ---'

interface Step {
  readonly command: string
  readonly shown: readonly string[]
}

interface Section {
  readonly title: string
  readonly steps: readonly Step[]
}

function readSections(page: string): Section[] {
  return page.split(/^## /m).map((text, n) => ({
    title: n === 0 ? 'What stands where' : text.slice(0, text.indexOf('\n')),
    steps: [...text.matchAll(/^```console\n([\s\S]*?)^```/gm)].flatMap((fence) => readSteps(fence[1]!)),
  }))
}

function readSteps(fence: string): Step[] {
  return fence
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = '', ...shown] = text.trimEnd().split('\n')
      return { command, shown }
    })
}

/** A shell in which `sworn` is this checkout's, with a home of its own. `before` runs first, unseen. */
function runSteps(steps: readonly Step[], before: string, wrap: readonly string[]): string[] {
  const root = realpathSync(temporary())
  for (const name of ['bin', 'home', 'work', 'work/disk']) mkdirSync(join(root, name))
  writeFileSync(join(root, 'bin', 'sworn'), `#!/bin/sh\nexec ${SWORN.map((word) => `'${word}'`).join(' ')} "$@"\n`, { mode: 0o755 })
  const script = [before, ...steps.flatMap(({ command }) => [command, `echo '${MARK}'`])].join('\n')
  const [program, ...args] = [...wrap, 'bash', '-c', `exec 2>&1\n${script}`]
  const own = { HOME: root, SWORN_HOME: join(root, 'home'), LC_ALL: 'C', TZ: 'UTC' }
  const env = { PATH: `${join(root, 'bin')}:${process.env.PATH}`, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '', ...own }
  const ran = spawnSync(program!, args, { cwd: join(root, 'work'), env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  assert.equal(ran.error, undefined)
  return ran.stdout.split(`${MARK}\n`).slice(0, -1)
}

/** `…` within a line stands for any text, alone on a line for any lines. */
function toPattern(shown: readonly string[]): RegExp {
  const lines = shown.map((line) => (line === '…' ? '(?:.*\\n)*?' : `${RegExp.escape(line).replaceAll('…', '[^\\n]*')}\\n`))
  return new RegExp(`^${lines.join('')}$`)
}

function check({ steps }: Section, before = '', wrap: readonly string[] = []): void {
  const outputs = runSteps(steps, before, wrap)
  assert.equal(outputs.length, steps.length)
  for (const [n, { command, shown }] of steps.entries()) assert.match(outputs[n]!, toPattern(shown), `$ ${command}`)
}

const sections = readSections(readFileSync(GUIDE, 'utf8'))
const MOUNT = 'mount -t tmpfs -o size=1m tmpfs disk'
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

test('the guide has a section for each thing an operator meets, and each has commands', () => {
  assert.deepEqual(
    sections.map(({ title }) => title),
    ['What stands where', 'Upgrade', 'Move or copy a ledger', 'Back up and restore', 'Lost key', 'Full disk and back', 'Uninstall'],
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
      skip,
    },
    () => (full ? check(section, MOUNT, ['unshare', '-m']) : check(section)),
  )
}
