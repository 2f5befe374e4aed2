/**
 * The short way of `sworn hook`: hands the hook to a process that has everything loaded, and prints what it says.
 *
 * Promise: nothing was told to anybody when the result is `nobody`; `lost` means that it was, and that no answer came. The
 * whole way of a hook is `commands/hook.ts`. This file and what it imports are all that such a hook loads.
 * @module
 */
import { findDirectories } from '@sworn/recorder/directories'
import { GREETING, type HookReply, type HookRequest, hooksAddress } from './place.ts'

export interface Asked {
  readonly end: 'answered' | 'nobody' | 'lost'
  /** What was read from stdin. */
  readonly stdin: Uint8Array
}

// not imported: as modules they take longer to load than all of this file
const { fstatSync, lstatSync, readSync, writeSync } = process.getBuiltinModule('node:fs')
const { connect } = process.getBuiltinModule('node:net')

/** An answerer that is alive greets at once. */
const GREET_MS = 1000
/** Clients wait a minute. */
const ANSWER_MS = 55_000
/** One byte more than a payload may have: the whole way refuses it. */
const MAX_STDIN = 16 * 1024 * 1024 + 1
const EMPTY = new Uint8Array()

/** @param args what follows `sworn hook`. @returns undefined where nobody can answer; stdin is unread */
export async function askAnswerer(args: readonly string[]): Promise<Asked | undefined> {
  const address = findAddress()
  if (address === undefined) return undefined
  const asking = exchange(address)
  const stdin = readStdin()
  const reply = await asking({ args, cwd: process.cwd(), env: process.env }, stdin)
  if (typeof reply === 'string') return { end: reply, stdin }
  print(1, reply.out)
  print(2, reply.err)
  process.exitCode = reply.code
  return { end: 'answered', stdin: EMPTY }
}

/** A socket of this user; a terminal is read as ever. */
function findAddress(): string | undefined {
  const { env, platform } = process
  const homeDirectory = env.HOME
  if (env.SWORN_RECORDER === 'off' || homeDirectory === undefined) return undefined
  const address = hooksAddress(findDirectories({ name: platform, env, homeDirectory }).state, platform)
  const found = address === undefined ? undefined : lstatSync(address, { throwIfNoEntry: false })
  const isOurs = found?.isSocket() === true && found.uid === process.getuid?.()
  return isOurs && !fstatSync(0).isCharacterDevice() ? address : undefined
}

/** Begins to connect at once; the request follows when it is known and the answerer greeted. */
function exchange(address: string): (request: HookRequest, stdin: Uint8Array) => Promise<HookReply | 'nobody' | 'lost'> {
  const socket = connect(address)
  let said = ''
  let failed = false
  socket.setEncoding('utf8')
  socket.on('error', () => {
    failed = true
  })
  return (request, stdin) =>
    new Promise((resolve) => {
      let isSent = false
      const end = (reply?: HookReply) => {
        clearTimeout(timer)
        socket.destroy()
        resolve(reply ?? (isSent ? 'lost' : 'nobody'))
      }
      let timer = setTimeout(end, GREET_MS)
      socket.on('data', (text: string) => {
        said += text
        if (isSent || said.length < GREETING.length) return
        if (said !== GREETING) return end()
        isSent = true
        clearTimeout(timer)
        timer = setTimeout(end, ANSWER_MS)
        socket.write(`${JSON.stringify(request)}\n`)
        socket.end(stdin)
      })
      socket.on('end', () => end(toReply(said.slice(GREETING.length))))
      socket.on('close', () => end())
      if (failed) end()
    })
}

function toReply(text: string): HookReply | undefined {
  try {
    return JSON.parse(text) as HookReply // the same version wrote it
  } catch {
    return undefined // cut off
  }
}

/** All of stdin, as far as a payload can be long. */
function readStdin(): Uint8Array {
  const chunks: Uint8Array[] = []
  let bytes = 0
  while (bytes < MAX_STDIN) {
    const chunk = new Uint8Array(65_536)
    const read = readSome(chunk)
    if (read === 0) break
    chunks.push(chunk.subarray(0, read))
    bytes += read
  }
  return Buffer.concat(chunks)
}

function readSome(chunk: Uint8Array): number {
  for (;;) {
    try {
      return readSync(0, chunk)
    } catch (e) {
      if (!(e instanceof Error && 'code' in e && e.code === 'EAGAIN')) throw e
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2) // a pipe that does not block, and has nothing yet
    }
  }
}

function print(fd: 1 | 2, text: string): void {
  if (text === '') return
  try {
    writeSync(fd, text)
  } catch {
    // its reader is gone, as it may be with every command
  }
}
