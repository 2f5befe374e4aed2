/**
 * Asks by a desktop dialog: one process for one question, gone when the question is.
 *
 * The program is told nothing but the question and where the display is: no other variable of ours reaches it.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Channel, Question, Tell, Withdraw } from '../types.ts'
import { type Desktop, type Dialog, findDialog } from './dialogs.ts'
import { oneAtATime } from './one-at-a-time.ts'

export interface DialogChannelOptions {
  readonly desktop: Desktop
  /** Who sits before the display: the operating system user. */
  readonly approver: string
  /** Between SIGTERM and SIGKILL; default 1,000. */
  readonly killAfterMs?: number
}

const MAX_OUTPUT = 4096
/** What a program needs to reach a display and speak the user's language. */
const PASSED =
  /^(?:DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|DESKTOP_SESSION|HOME|USER|LOGNAME|PATH|Path|LANG|LC_\w+|TMPDIR|SystemRoot|TEMP|TMP|SESSIONNAME)$/

/** Channel `dialog`: offers approval of this one call. */
export function createDialogChannel(options: DialogChannelOptions): Channel {
  return { name: 'dialog', maxChars: 4000, open: oneAtATime((question, tell) => present(options, question, tell)) }
}

function present({ desktop, approver, killAfterMs = 1000 }: DialogChannelOptions, question: Question, tell: Tell): Withdraw {
  const found = findDialog(desktop)
  if (!found) {
    tell({ kind: 'failed', why: 'absent' })
    return () => {}
  }
  const { dialog, file } = found
  const child = start(desktop, dialog, file, question)
  const output = collect(child)
  let isWithdrawn = false
  const gone = new Promise<void>((resolve) => {
    const end = (approved: boolean | undefined) => {
      resolve()
      const { id, shownHash } = question
      const isAnswer = isWithdrawn ? approved === true : approved !== undefined // our signal may look like a refusal
      if (isAnswer) tell({ kind: 'answer', answer: { id, shownHash, approved, scope: 'once', approver } })
      else tell({ kind: 'failed', why: isWithdrawn ? 'closed' : 'broken' })
    }
    child.once('error', () => end(undefined))
    child.once('close', (code) => end(dialog.read(code, output())))
    child.once('exit', () => isWithdrawn && child.stdout?.destroy()) // a child of the program may hold the pipe
    child.once('spawn', () => tell({ kind: 'shown' }))
  })
  return () => {
    isWithdrawn = true
    return kill(child, gone, killAfterMs)
  }
}

function start({ env }: Desktop, dialog: Dialog, file: string, question: Question): ChildProcess {
  const { args, env: own } = dialog.call(question.text, Math.ceil(question.timeoutMs / 1000))
  const passed = Object.fromEntries(Object.entries(env).filter(([name]) => PASSED.test(name)))
  return spawn(file, args, { env: { ...passed, ...own }, shell: false, stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true })
}

/** The beginning of what the program prints. */
function collect({ stdout }: ChildProcess): () => string {
  let text = ''
  stdout?.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(0, MAX_OUTPUT)
  })
  return () => text
}

/** Resolves when the process is gone. */
async function kill(child: ChildProcess, gone: Promise<void>, killAfterMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return gone
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  await gone
  clearTimeout(timer)
}
