/**
 * Ledgers that stay open between the hooks of one agent: what a hook costs is then its records.
 *
 * A room is for one client, in one folder, with one environment and the same flags; it is opened again when a file that it
 * was made from is another one, and closed when it failed, or when nobody came for IDLE_MS. A session begins in a room of its
 * own, which records what was loaded. Where this process has the ledger open, its rooms share that port.
 * @module
 */
import { hash } from 'node:crypto'
import { statSync } from 'node:fs'
import type { Hook, HookClient } from '@sworn/proxy/hooks'
import { type Port, SwornError } from '@sworn/recorder'
import { rememberOwnFiles } from '../agents/own-files.ts'
import type { Io } from '../frame/io.ts'
import { answerIn, openForHook, type Visited, type VisitLedger, visitLedger } from '../hooking.ts'
import type { Opened } from '../open-recorder.ts'
import type { CommandOptions } from '../opening.ts'

export interface HookRooms {
  readonly visit: VisitLedger
  /** Hooks that were answered. */
  visits(): number
  close(): Promise<void>
}

const MAX_ROOMS = 6
const IDLE_MS = 10 * 60_000
const LOOK_MS = 60_000

interface KeptRoom {
  readonly opened: Promise<Opened>
  /** Of the files that it was made from; known when it is open. */
  print: string | undefined
  visitors: number
  /** Milliseconds of the monotonic clock. */
  usedAt: number
  /** Nobody enters any more; closed with its last visitor. */
  isGone: boolean
}

/** @param port of this process */
export function createHookRooms(port?: Port): HookRooms {
  const rooms = new Map<string, KeptRoom>()
  const closing = new Set<Promise<void>>()
  const findOwnFiles = rememberOwnFiles()
  let lent = port
  let visits = 0

  function letGo(key: string, room: KeptRoom): void {
    if (rooms.get(key) === room) rooms.delete(key)
    room.isGone = true
    if (room.visitors > 0) return
    const closed: Promise<void> = room.opened
      .then(({ recorder }) => recorder.close())
      .catch(() => {}) // one that never opened has nothing to close; what was not written was told to its visitor
      .finally(() => closing.delete(closed))
    closing.add(closed)
  }

  async function enter(key: string, open: () => Promise<Opened>): Promise<KeptRoom> {
    const known = rooms.get(key)
    if (known && (known.print === undefined || known.print === printOf(await known.opened)) && !known.isGone) return known
    if (known) letGo(key, known)
    const before = [...closing] // one that holds the ledger lets go of it first
    const room: KeptRoom = {
      opened: Promise.all(before).then(open),
      print: undefined,
      visitors: 0,
      usedAt: performance.now(),
      isGone: false,
    }
    rooms.set(key, room)
    if (rooms.size > MAX_ROOMS) letGo(...rooms.entries().next().value!)
    return room
  }

  async function visit(client: HookClient, found: Hook, options: CommandOptions, io: Io): Promise<Visited> {
    visits++
    if (found.kind === 'session_start') return visitLedger(client, found, { ...options, ...(lent && { lent }) }, io)
    const plan = openForHook(client, found, options, io, findOwnFiles)
    const key = hash('sha256', JSON.stringify([client.name, plan.options, io.cwd, io.env]))
    const room = await enter(key, () => plan.open(lent))
    room.visitors++
    try {
      const opened = await room.opened
      room.print ??= printOf(opened)
      const visited = await answerIn(opened, client, found, io)
      if (visited.failure !== undefined) letGo(key, room)
      if (SwornError.is(visited.failure, 'RECORDER_UNAVAILABLE')) lent = undefined // the next room finds whoever records by itself
      return visited
    } catch (e) {
      letGo(key, room)
      throw e
    } finally {
      room.visitors--
      room.usedAt = performance.now()
      if (room.isGone) letGo(key, room)
    }
  }

  const timer = setInterval(() => {
    for (const [key, room] of rooms) if (room.visitors === 0 && performance.now() - room.usedAt > IDLE_MS) letGo(key, room)
  }, LOOK_MS).unref()

  return {
    visit,
    visits: () => visits,
    async close() {
      clearInterval(timer)
      for (const [key, room] of rooms) letGo(key, room)
      await Promise.all(closing)
    },
  }
}

/** Differs when one of the files was saved, came or went. */
function printOf({ files }: Opened): string {
  const stats = files.map((file) => statSync(file, { throwIfNoEntry: false }))
  return JSON.stringify(stats.map((stat) => stat && [stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs]))
}
