/**
 * The action of an alert that is a program: no shell, the event as one line of JSON on stdin, killed when it takes too long.
 *
 * Values of events stand in the JSON and nowhere else: never in an argument or the environment, of which it gets the few
 * variables that programs need to start. Configuration that is not trusted cannot name one (design §5.3).
 * @module
 */
import { spawn } from 'node:child_process'
import { SEVERITIES } from '../columns.ts'
import { type Alert, toAlertEvent } from './alert.ts'
import type { Action } from './rule.ts'

const DEFAULT_TIMEOUT_S = 10
const KEPT = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SystemRoot', 'USERPROFILE', 'PATHEXT', 'TEMP']

export type SayFault = (text: string) => void

export function appliesTo({ severity = 'debug', rules }: Action, alert: Alert): boolean {
  return SEVERITIES.indexOf(alert.severity) >= SEVERITIES.indexOf(severity) && (rules === undefined || rules.includes(alert.rule))
}

/** Resolves when it has ended, whatever came of it; a fault is said with the program's place in the configuration. */
export function runCommand(
  { command, timeout_s: timeoutS = DEFAULT_TIMEOUT_S }: Action,
  alert: Alert,
  signal: AbortSignal,
  say: SayFault,
): Promise<void> {
  const [program, ...args] = command as [string, ...string[]] // at least one, by the schema
  const env = Object.fromEntries(KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      env,
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    const stop = () => kill(child.pid)
    const timer = setTimeout(() => {
      say(`took longer than ${timeoutS} s and was killed`)
      stop()
    }, timeoutS * 1000)
    const end = (fault?: string) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      if (fault !== undefined) say(fault)
      resolve()
    }
    signal.addEventListener('abort', stop)
    child.on('error', (e) => end(`did not start (${'code' in e ? String(e.code) : 'unknown'})`))
    child.on('close', (code) => end(code === null || code === 0 ? undefined : `ended with ${code}`))
    child.stdin?.on('error', () => {}) // it need not read
    child.stdin?.end(`${JSON.stringify(toAlertEvent(alert))}\n`)
  })
}

/** The program with everything that it started. */
function kill(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {} // it has ended
}
