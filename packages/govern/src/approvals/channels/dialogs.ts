/**
 * The programs that show a dialog on a desktop: how each is called, and what its end means.
 *
 * Promise: nothing goes through a shell, and the question is never part of a script: it is an argument, or an
 * environment variable. What a program would interpret (backslashes) is written so that it shows as it is.
 * The default button refuses. Sources: osascript(1), zenity(1), kdialog, PowerShell MessageBox.
 * @module
 */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, sep } from 'node:path'

export interface DialogCall {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Dialog {
  readonly command: string
  call(text: string, seconds: number): DialogCall
  /** true approved, false refused; undefined: the program failed, or gave up. */
  read(exitCode: number | null, stdout: string): boolean | undefined
}

const TITLE = 'sworn: approval'
/** zenity and kdialog read `\n` and `\\` in their text. */
const double = (text: string) => text.replaceAll('\\', '\\\\')
const byExitCode = (exitCode: number | null) => (exitCode === 0 ? true : exitCode === 1 ? false : undefined)

const APPLE_SCRIPT = [
  'on run argv',
  'display dialog (item 1 of argv) with title (item 2 of argv) buttons {"Refuse", "Approve"} default button "Refuse" ' +
    'with icon caution giving up after ((item 3 of argv) as integer)',
  'if gave up of result then return "gave up"',
  'return button returned of result',
  'end run',
]

const POWERSHELL = [
  'Add-Type -AssemblyName System.Windows.Forms',
  "[Console]::Out.Write([System.Windows.Forms.MessageBox]::Show($env:SWORN_QUESTION, $env:SWORN_TITLE, 'YesNo', 'Warning', 'Button2'))",
].join('; ')

const osascript: Dialog = {
  command: 'osascript',
  call: (text, seconds) => ({ args: [...APPLE_SCRIPT.flatMap((line) => ['-e', line]), '--', text, TITLE, String(seconds)] }),
  read: (exitCode, stdout) => (exitCode !== 0 ? undefined : { Approve: true, Refuse: false }[stdout.trim()]),
}

const zenity: Dialog = {
  command: 'zenity',
  call: (text, seconds) => {
    const buttons = ['--ok-label=Approve', '--cancel-label=Refuse', '--default-cancel']
    return { args: ['--question', '--no-markup', `--title=${TITLE}`, ...buttons, `--timeout=${seconds}`, `--text=${double(text)}`] }
  },
  read: byExitCode,
}

const kdialog: Dialog = {
  command: 'kdialog',
  call: (text) => ({ args: ['--title', TITLE, '--yes-label', 'Approve', '--no-label', 'Refuse', '--warningyesno', double(text)] }),
  read: byExitCode,
}

const powershell: Dialog = {
  command: 'powershell.exe',
  call: (text) => ({
    args: ['-NoProfile', '-NonInteractive', '-STA', '-Command', POWERSHELL],
    env: { SWORN_QUESTION: text.replaceAll('\n', '\r\n'), SWORN_TITLE: TITLE },
  }),
  read: (exitCode, stdout) => (exitCode !== 0 ? undefined : { Yes: true, No: false }[stdout.trim()]),
}

export interface Desktop {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  /** Programs below it are the agent's, not the desktop's. */
  readonly cwd: string
}

/** true where a dialog would be seen by somebody. */
export function hasDisplay({ platform, env }: Desktop): boolean {
  if (platform === 'linux' || platform === 'freebsd' || platform === 'openbsd') return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
  if (env.SSH_CONNECTION || env.SSH_TTY) return false
  return platform === 'darwin' || (platform === 'win32' && Boolean(env.SESSIONNAME) && env.SESSIONNAME !== 'Services')
}

/**
 * The first dialog program of this platform on PATH, with its place; undefined when there is none, or no display.
 * Relative entries, the working directory and `node_modules` do not count: an agent can write there.
 */
export function findDialog(desktop: Desktop): { readonly dialog: Dialog; readonly file: string } | undefined {
  if (!hasDisplay(desktop)) return undefined
  const { platform, env, cwd } = desktop
  const dialogs = platform === 'darwin' ? [osascript] : platform === 'win32' ? [powershell] : [zenity, kdialog]
  const path = env.PATH ?? env.Path ?? ''
  const places = path.split(delimiter).filter((place) => isAbsolute(place) && !isAgents(place, cwd))
  for (const dialog of dialogs) {
    const file = places.map((place) => join(place, dialog.command)).find(isProgram)
    if (file !== undefined) return { dialog, file }
  }
  return undefined
}

function isAgents(place: string, cwd: string): boolean {
  const inside = `${join(place, sep)}`
  return inside.startsWith(join(cwd, sep)) || inside.includes(`${sep}node_modules${sep}`)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
