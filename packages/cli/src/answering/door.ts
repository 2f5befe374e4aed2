/**
 * The socket at which a recorder process answers hooks: one a user, for every ledger of that user.
 *
 * It listens under a name of its own and takes the public one by rename when nobody answers there, so a socket of a process
 * that died is no obstacle. Who connects is this user and still untrusted. Bounds: 64 clients, 10 s for a request, 1 MiB
 * before its payload, 64 MiB of unfinished requests.
 * @module
 */
import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { MAX_HOOK_BYTES } from '@sworn/proxy/hooks'
import type { Port } from '@sworn/recorder'
import type { Io } from '../frame/io.ts'
import { answerRequest } from './answer.ts'
import { canAnswerHooks, GREETING, type HookRequest, hooksAddress } from './place.ts'
import { createHookRooms } from './rooms.ts'

export interface HookDoor {
  /** Hooks that were answered so far. */
  visits(): number
  /** What was asked is answered first. */
  close(): Promise<void>
}

const MAX_CLIENTS = 64
const REQUEST_MS = 10_000
const MAX_HEAD = 1024 * 1024
const MAX_UNFINISHED = 64 * 1024 * 1024
const GREET_MS = 1000

/**
 * undefined where hooks cannot be answered, or another process does.
 * @param port of this process, for hooks of its ledger
 */
export async function openHookDoor(state: string, io: Io, port?: Port): Promise<HookDoor | undefined> {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const address = hooksAddress(state, io.platform)
  if (address === undefined || !canAnswerHooks(state, io.platform) || (await isAnswered(address))) return undefined
  const rooms = createHookRooms(port)
  const pending = new Set<Promise<void>>()
  const unfinished = { bytes: 0 }

  async function serve(socket: Socket): Promise<void> {
    socket.on('error', () => {}) // a client that is gone is an event
    socket.write(GREETING)
    const request = await readRequest(socket, unfinished)
    if (request === undefined || socket.destroyed) return void socket.destroy()
    socket.end(JSON.stringify(await answerRequest(request.head, request.stdin, rooms.visit, io)))
  }

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const served: Promise<void> = serve(socket).finally(() => pending.delete(served))
    pending.add(served)
  })
  server.maxConnections = MAX_CLIENTS
  const inode = await listen(server, address).catch(() => undefined)
  if (inode === undefined) return undefined
  io.say('debug', `hooks are answered at ${address}`)
  return {
    visits: rooms.visits,
    async close() {
      if (statSync(address, { throwIfNoEntry: false, bigint: true })?.ino === inode) rmSync(address, { force: true })
      server.close()
      await Promise.all(pending)
      await rooms.close()
    },
  }
}

/** @returns the inode of the socket under its public name */
async function listen(server: Server, address: string): Promise<bigint> {
  const temporary = `${address}.${process.pid}`
  rmSync(temporary, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(temporary, resolve)
  })
  server.unref()
  chmodSync(temporary, 0o600) // nobody could come in before: the directory is this user's alone
  const { ino } = statSync(temporary, { bigint: true })
  renameSync(temporary, address)
  return ino
}

/** Somebody greets there. */
function isAnswered(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    const end = (isThere: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(isThere)
    }
    const timer = setTimeout(() => end(false), GREET_MS)
    socket.once('data', () => end(true))
    socket.once('error', () => end(false))
  })
}

interface WholeRequest {
  readonly head: HookRequest
  readonly stdin: Uint8Array
}

/**
 * undefined for what is too long, too slow, cut off or no request.
 * @param unfinished of all clients together
 */
function readRequest(socket: Socket, unfinished: { bytes: number }): Promise<WholeRequest | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve) => {
    const end = (request?: WholeRequest) => {
      clearTimeout(timer)
      unfinished.bytes -= bytes
      bytes = 0
      resolve(request)
    }
    const timer = setTimeout(end, REQUEST_MS).unref()
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      unfinished.bytes += chunk.length
      if (bytes > MAX_HEAD + MAX_HOOK_BYTES + 1 || unfinished.bytes > MAX_UNFINISHED) end()
    })
    socket.on('end', () => end(parseRequest(Buffer.concat(chunks))))
    socket.on('close', () => end())
  })
}

function parseRequest(bytes: Buffer): WholeRequest | undefined {
  const at = bytes.subarray(0, MAX_HEAD).indexOf(10)
  try {
    const head: unknown = JSON.parse(bytes.subarray(0, at).toString('utf8'))
    return at > 0 && isRequest(head) ? { head, stdin: bytes.subarray(at + 1) } : undefined
  } catch {
    return undefined
  }
}

function isRequest(value: unknown): value is HookRequest {
  if (typeof value !== 'object' || value === null) return false
  const { args, cwd, env } = value as Record<string, unknown> // an object, checked above
  const isTexts = (list: readonly unknown[]) => list.every((item) => typeof item === 'string')
  const isCommand = Array.isArray(args) && isTexts(args) && typeof cwd === 'string'
  return isCommand && typeof env === 'object' && env !== null && isTexts(Object.values(env))
}
