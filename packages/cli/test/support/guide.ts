/** A guide's console fences, run in a shell of their own, compared with what the page shows. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporary } from './io.ts'
import { SWORN } from './process.ts'

/** On a line of its own after each command's output. */
const MARK = '--- end of the command ---'

interface Step {
  readonly command: string
  readonly shown: readonly string[]
}

export interface Section {
  readonly title: string
  readonly steps: readonly Step[]
}

/** @param first the title of what stands above the first heading */
export function readSections(page: string, first: string): Section[] {
  return page.split(/^## /m).map((text, n) => ({
    title: n === 0 ? first : text.slice(0, text.indexOf('\n')),
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

/** Runs the commands of a section, one after the other, and compares what each prints. */
export function checkSection({ steps }: Section, before = '', wrap: readonly string[] = []): void {
  const outputs = runSteps(steps, before, wrap)
  assert.equal(outputs.length, steps.length)
  for (const [n, { command, shown }] of steps.entries()) assert.match(outputs[n]!, toPattern(shown), `$ ${command}`)
}
