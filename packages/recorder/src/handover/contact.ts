/**
 * First contact with whoever answers at a data address: connect, and read its greeting.
 *
 * Connected and greeted is a living recorder, whatever namespace it runs in; ENOENT or ECONNREFUSED
 * is a dead one; a line that ends before a word is one that is closing; no greeting in time is a paused one, which keeps its
 * lock. Source: docs/format.md.
 * @module
 */
import { lstatSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createFrameReader, type FrameBody, type FrameReader } from './frames.ts'
import { startLimit } from './limit.ts'
import { type Greeting, parseGreeting } from './messages.ts'

export type Contact =
  | { readonly kind: 'met'; readonly line: Line; readonly greeting: Greeting }
  | { readonly kind: 'dead' }
  /** It hung up before it greeted: a moment later nobody is there, or the next. */
  | { readonly kind: 'leaving' }
  /** Somebody is there and does not speak: paused, or not a recorder. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'forbidden' }
  /** Another user put the socket there: not spoken to, whoever answers. */
  | { readonly kind: 'foreign' }

/** A socket whose frames can be awaited one by one, or taken as they come. */
export interface Line {
  readonly socket: Socket
  /** The next frame; undefined when the line ended, spoke garbage, or `timeoutMs` passed. */
  next(timeoutMs: number): Promise<FrameBody | undefined>
  /** From now on every frame goes to `take`; `ended` is called once. */
  stream(take: (body: FrameBody) => void, ended: () => void): void
}

/** Nobody can answer there; ENOTDIR: the ledger's directory is a file by now. */
const NOBODY: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED'])

/** Connects to `address` and waits at most `timeoutMs` for the greeting. */
export async function meet(address: string, timeoutMs: number): Promise<Contact> {
  if (isForeign(address)) return { kind: 'foreign' }
  const socket = connect({ path: address })
  const line = createLine(socket)
  const failure = await connected(socket, timeoutMs)
  if (failure === undefined) {
    const body = await line.next(timeoutMs)
    const greeting = body && parseGreeting(body)
    if (greeting) return { kind: 'met', line, greeting }
  }
  const left = failure === undefined ? socket.destroyed && socket.bytesRead === 0 : failure === 'ECONNRESET'
  socket.destroy()
  if (left) return { kind: 'leaving' }
  if (failure !== undefined && NOBODY.has(failure)) return { kind: 'dead' }
  return { kind: failure === 'EACCES' || failure === 'EPERM' ? 'forbidden' : 'silent' }
}

/** A pipe has no owner to look at; neither has what is not there. */
function isForeign(address: string): boolean {
  const uid = process.getuid?.()
  try {
    const found = uid === undefined ? undefined : lstatSync(address, { throwIfNoEntry: false })
    return found !== undefined && found.uid !== uid
  } catch {
    return false // connecting tells why
  }
}

/** Undefined when connected, else the error's code. */
function connected(socket: Socket, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const stop = startLimit(timeoutMs, () => resolve('ETIMEDOUT'))
    const end = (code?: string) => {
      stop()
      resolve(code)
    }
    socket.once('connect', () => end())
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'EIO'))
  })
}

function createLine(socket: Socket): Line {
  const reader: FrameReader = createFrameReader()
  const frames: FrameBody[] = []
  let take = (body: FrameBody): void => void frames.push(body)
  let ended = (): void => undefined
  let open = true

  socket.on('error', () => undefined) // 'close' follows and says it
  socket.on('close', () => {
    open = false
    ended()
  })
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const body of reader.push(chunk)) take(body)
    } catch {
      socket.destroy() // not our protocol
    }
  })

  function restore(): void {
    take = (body) => void frames.push(body)
    ended = () => undefined
  }

  return {
    socket,
    next(timeoutMs) {
      if (frames.length > 0 || !open) return Promise.resolve(frames.shift())
      return new Promise((resolve) => {
        const end = (body?: FrameBody) => {
          stop()
          restore()
          resolve(body)
        }
        const stop = startLimit(timeoutMs, end)
        take = end
        ended = end
      })
    },
    stream(onFrame, onEnd) {
      take = onFrame
      ended = onEnd
      for (const body of frames.splice(0)) onFrame(body)
      if (!open) onEnd()
    },
  }
}
