/**
 * The data endpoint of a recorder: a socket file, mode 0600, that is known to lead to this process.
 *
 * It listens inside a fresh 0700 directory, so nobody can connect before the mode is set, then takes
 * the public name by rename and connects to that name once: who answers with another nonce won the
 * race, and this process hands over to it. Source: docs/format.md, several processes.
 * @module
 */
import { chmodSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { SwornError } from '@sworn/verify'
import { meet } from './contact.ts'
import type { Places, Platform } from './platform.ts'
import { type SessionHost, serveSession } from './session.ts'
import { createUnfinished } from './unfinished.ts'

export interface Endpoint {
  /** False once the public name leads elsewhere: another recorder took it. */
  isOurs(): boolean
  close(): Promise<void>
}

/** Most clients at a time; a proxy is one, so is a hook. */
const MAX_CLIENTS = 256
const SELF_TIMEOUT_MS = 2_000

/** @returns undefined when the name leads to another recorder. @throws SwornError IO_FAILED */
export async function openEndpoint(places: Places, platform: Platform, host: SessionHost): Promise<Endpoint | undefined> {
  const sockets = new Set<Socket>()
  const unfinished = createUnfinished()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serveSession(socket, host, { unfinished })
  })
  server.maxConnections = MAX_CLIENTS
  const identity = platform.kind === 'win32' ? await listenPipe(server, places) : await listenFile(server, places)
  const endpoint = createEndpoint(server, sockets, places, identity)
  if (await leadsHere(places, host)) return endpoint
  await endpoint.close()
  return undefined
}

function createEndpoint(server: Server, sockets: Set<Socket>, places: Places, identity: bigint | undefined): Endpoint {
  const isOurs = () => identity === undefined || inodeOf(places.dataAddress) === identity
  return {
    isOurs,
    async close() {
      if (identity !== undefined && isOurs()) rmSync(places.dataAddress, { force: true })
      for (const socket of sockets) socket.end().unref() // what was answered still goes out
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        setImmediate(() => {
          for (const socket of sockets) socket.destroySoon()
        })
      })
    },
  }
}

async function leadsHere(places: Places, host: SessionHost): Promise<boolean> {
  const contact = await meet(places.dataAddress, SELF_TIMEOUT_MS)
  if (contact.kind !== 'met') return false
  contact.line.socket.destroy()
  return contact.greeting.nonce === host.greeting().nonce
}

async function listenPipe(server: Server, places: Places): Promise<undefined> {
  await listen(server, places.dataAddress)
}

async function listenFile(server: Server, places: Places): Promise<bigint> {
  const workshop = makeWorkshop(places)
  const temporary = join(workshop, 's')
  try {
    await listen(server, temporary)
    chmodSync(temporary, 0o600)
    const identity = statSync(temporary, { bigint: true }).ino
    renameSync(temporary, places.dataAddress)
    return identity
  } catch (cause) {
    server.close()
    throw SwornError.is(cause)
      ? cause
      : new SwornError('IO_FAILED', 'the data socket cannot be put in place', places.dataAddress, { cause })
  } finally {
    rmSync(workshop, { recursive: true, force: true })
  }
}

/** Its path is at most 3 bytes longer than that of the socket. */
function makeWorkshop(places: Places): string {
  try {
    return mkdtempSync(join(dirname(places.dataAddress), '.s-'))
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'the data socket cannot be made', places.dataAddress, { cause })
  }
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new SwornError('IO_FAILED', 'the data endpoint cannot be made', '', { cause })))
    server.listen({ path: address, exclusive: true }, resolve)
  })
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { throwIfNoEntry: false, bigint: true })?.ino
}
