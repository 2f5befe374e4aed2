/**
 * The lock of a ledger: a listening endpoint that accepts nothing.
 *
 * Linux: an abstract socket; Windows: a named pipe; macOS: socket files that are probed. The second
 * listener gets EADDRINUSE, and the kernel frees the name when the holder dies. `log.lock` only tells
 * humans and `doctor` who that is. Source: docs/format.md, several processes.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { SwornError } from '@sworn/verify'
import type { Places, Platform } from './platform.ts'

export interface Lock {
  release(): Promise<void>
}

/** What `log.lock` says about the holder. Never decides anything but which boot it was. */
export interface Holder {
  readonly pid: number
  readonly boot: string
  readonly started: string
}

/** Randomness in the name of a candidate's socket file. */
const NAME_BYTES = 4

/** @returns undefined when somebody else holds it. @throws SwornError IO_FAILED */
export async function acquireLock(places: Places, platform: Platform): Promise<Lock | undefined> {
  const server = platform.kind === 'darwin' ? await listenProbed(places.lockAddress) : await tryListen(places.lockAddress)
  if (!server) return undefined
  server.unref()
  return { release: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** A server at `address` that drops whoever connects; undefined when the address is taken. */
function tryListen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.maxConnections = 0
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE' || cause.code === 'EACCES') resolve(undefined)
      else reject(new SwornError('IO_FAILED', 'the lock endpoint cannot be made', '', { cause }))
    })
    server.listen({ path: address, exclusive: true }, () => resolve(server))
  })
}

/**
 * A lock of socket files, which outlive their processes: each candidate listens under a name of its
 * own, then looks at all others. Answered means held, refused means dead and is removed; names never
 * come twice, so a living one is never removed. Of two holders the later to listen would have seen the
 * earlier: there is at most one. Two that see each other both let go, and the caller tries again.
 */
async function listenProbed(prefix: string): Promise<Server | undefined> {
  const own = `${prefix}-${randomBytes(NAME_BYTES).toString('hex')}`
  const server = await tryListen(own)
  if (server && (await isAlone(prefix, own))) return server
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
  return undefined
}

async function isAlone(prefix: string, own: string): Promise<boolean> {
  const directory = dirname(prefix)
  const others = readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => path.startsWith(`${prefix}-`) && path !== own)
  for (const path of others) {
    if (await isAnswered(path)) return false
    rmSync(path, { force: true })
  }
  return true
}

function isAnswered(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path: address })
    const end = (answered: boolean) => {
      probe.destroy()
      resolve(answered)
    }
    probe.once('connect', () => end(true))
    probe.once('error', (error: NodeJS.ErrnoException) => end(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'))
  })
}

/** @throws SwornError IO_FAILED */
export function writeHolder(places: Places, holder: Holder): void {
  const temporary = `${places.lockFile}.${holder.pid}`
  try {
    writeFileSync(temporary, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
    chmodSync(temporary, 0o600) // whatever the umask left
    renameSync(temporary, places.lockFile)
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'the holder cannot be written', places.lockFile, { cause })
  }
}

/** The holder that `log.lock` names; undefined when there is none or it is unreadable. */
export function readHolder(places: Places): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(places.lockFile, 'utf8'))
    if (typeof value !== 'object' || value === null) return undefined
    const { pid, boot, started } = value as Record<string, unknown> // an object, checked above
    const known = typeof pid === 'number' && Number.isSafeInteger(pid) && typeof boot === 'string' && typeof started === 'string'
    return known ? { pid, boot, started } : undefined
  } catch {
    return undefined // absent or damaged: the message names no holder
  }
}

/** Removes `log.lock` if it still names `pid`. */
export function removeHolder(places: Places, pid: number): void {
  if (readHolder(places)?.pid === pid) rmSync(places.lockFile, { force: true })
}

/** LEDGER_BUSY with whom to look at. */
export function busy(places: Places, why: string, cause?: unknown): SwornError {
  const holder = readHolder(places)
  const who = holder ? `process ${holder.pid} holds this ledger` : 'another process holds this ledger'
  return new SwornError('LEDGER_BUSY', `${who}: ${why}`, places.directory, { cause })
}
