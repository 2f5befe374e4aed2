/**
 * Opens the terminal of this process, whatever stdin and stdout are: they may belong to MCP.
 *
 * A process in the background is stopped by the kernel when it reads its terminal, and a proxy that is stopped
 * answers nobody: there the terminal counts as absent. Writing never blocks, neither this thread nor one of the
 * pool, so that a terminal held by Ctrl-S holds up no call and no exit. Source: POSIX.1-2017 §11.1, proc(5).
 * @module
 */
import { execFileSync } from 'node:child_process'
import { close as closeFile, closeSync, constants, openSync, readFileSync, write } from 'node:fs'
import { Writable } from 'node:stream'
import { isatty, ReadStream } from 'node:tty'
import type { Terminal } from './terminal.ts'

const DEVICE = '/dev/tty'
/** Between two tries to write to a terminal that takes nothing. */
const RETRY_MS = 20
/** For the last words, when the terminal takes nothing. */
const CLOSE_GRACE_MS = 1000

/** @throws Error when there is no terminal, or this process may not read it */
export function openControllingTerminal(): Terminal {
  if (process.platform === 'win32') throw new Error('no terminal is known on this platform')
  if (!isForeground(process.platform)) throw new Error('this process is in the background of its terminal')
  const inputFd = openSync(DEVICE, constants.O_RDWR | constants.O_NOCTTY)
  const outputFd = openOutput(inputFd)
  const input = new ReadStream(inputFd)
  const output = createOutput(outputFd)
  const gone = new Promise<void>((resolve) => output.once('close', resolve))
  const close = () => {
    input.destroy()
    output.end()
    const timer = setTimeout(() => output.destroy(), CLOSE_GRACE_MS)
    return gone.then(() => clearTimeout(timer))
  }
  return { input, output, close }
}

/** The second descriptor, or none at all. */
function openOutput(inputFd: number): number {
  try {
    if (!isatty(inputFd)) throw new Error('the device is no terminal')
    return openSync(DEVICE, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK)
  } catch (error) {
    closeSync(inputFd)
    throw error
  }
}

/** Writes to a descriptor that does not block, and closes it when nothing is being written: numbers are used again. */
function createOutput(fd: number): Writable {
  let retry: NodeJS.Timeout | undefined
  let isWriting = false
  let closed: (() => void) | undefined
  const push = (bytes: Buffer, done: (error?: Error) => void) => {
    isWriting = true
    write(fd, bytes, 0, bytes.length, null, (error, written) => {
      isWriting = false
      if (closed) return closed()
      if (error && error.code !== 'EAGAIN') return done(error)
      const rest = bytes.subarray(error ? 0 : written)
      if (rest.length === 0) return done()
      retry = setTimeout(push, RETRY_MS, rest, done).unref()
    })
  }
  return new Writable({
    write: (bytes: Buffer, _encoding, done) => push(bytes, done),
    destroy(error, done) {
      clearTimeout(retry)
      closed = () => closeFile(fd, () => done(error))
      if (!isWriting) closed()
    },
  })
}

/** How a process learns its group and the group that owns its terminal. */
export interface ProcessFacts {
  readonly readStat: () => string
  readonly runPs: () => string
}

const FACTS: ProcessFacts = {
  readStat: () => readFileSync('/proc/self/stat', 'latin1'),
  runPs: () => execFileSync('/bin/ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], { encoding: 'latin1', timeout: 1000 }),
}

/** Our process group owns the terminal. false when that cannot be found out. */
export function isForeground(platform: NodeJS.Platform, facts: ProcessFacts = FACTS): boolean {
  try {
    const [group, owner] = platform === 'linux' ? groupsOfStat(facts.readStat()) : facts.runPs().trim().split(/\s+/)
    return group !== undefined && group === owner && Number(group) > 0
  } catch {
    return false
  }
}

/** Fields 5 and 8; the name in field 2 may hold spaces and parentheses. */
function groupsOfStat(stat: string): readonly (string | undefined)[] {
  const [, , group, , , owner] = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(' ')
  return [group, owner]
}
