/**
 * Starts a process of this Node.js that outlives this one: own session, no streams, no terminal.
 *
 * SWORN_RECORDER does not reach it: what it starts is the recorder. A start that fails is not told here; whoever
 * asked for it notices that nobody answers.
 * @module
 */
import { spawn } from 'node:child_process'

/** Flags of Node.js that decide which files are loaded and what is warned of; `-e` and `--inspect` do not belong to a copy. */
const KEPT = /^--(conditions|disable-warning|enable-source-maps|no-warnings)(=|$)/

/** Starts `script` with `args`. */
export function startAgain(script: string, args: readonly string[]): void {
  const { SWORN_RECORDER: _own, ...env } = process.env
  const child = spawn(process.execPath, [...process.execArgv.filter((flag) => KEPT.test(flag)), script, ...args], {
    detached: true,
    stdio: 'ignore',
    env,
    windowsHide: true,
  })
  child.on('error', () => {}) // nobody answers then, and the caller records by itself
  child.unref()
}
