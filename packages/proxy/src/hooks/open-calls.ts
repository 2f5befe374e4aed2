/**
 * Calls that began in one hook process and end in another: a file each, in a folder a session.
 *
 * Promise: of several processes that look for the same call exactly one gets it, because only one removes its file.
 * Names sort by beginning, so equal calls end in the order in which they began. A crash leaves a file; it is found when
 * the agent's turn or session ends, or a week later. Of a call's arguments only a hash is kept. Bounds: 1,000 calls a
 * session, 1,000 sessions.
 * @module
 */
import { hash } from 'node:crypto'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface OpenCall {
  /** Its correlation_id. */
  readonly ref: string
  readonly tool: string
  readonly session: string
  /** The subagent that made it; absent: the session's own agent. */
  readonly agent?: string
  /** Unix milliseconds. */
  readonly startedAt: number
}

/** A call that began a subagent, and the subagent that made it; absent: the session's own agent. */
export type Parent = Pick<OpenCall, 'ref' | 'agent'>

export type Counter = 'allowed' | 'denied' | 'approvals' | 'dlp_blocked'
const COUNTERS: readonly Counter[] = ['allowed', 'denied', 'approvals', 'dlp_blocked']

export interface OpenCalls {
  /**
   * Returns the session's oldest call when there were too many: nobody will end it now.
   * @param spawns the call begins a subagent, which may start when the call is over
   */
  add(key: string, call: OpenCall, spawns?: boolean): OpenCall | undefined
  /** Takes back what was just added. */
  drop(call: OpenCall): void
  /** The oldest open call under `key`; it is open no more. */
  take(session: string, key: string): OpenCall | undefined
  /** All that are open and made by `by`, oldest first. */
  takeAll(session: string, by: (call: OpenCall) => boolean): readonly OpenCall[]
  /** Remembers which call began a subagent; without `call` the oldest that spawns and began none yet. What is known stays. */
  link(session: string, agent: string, call?: Parent): void
  /** The call that began a subagent. */
  parentOf(session: string, agent: string): Parent | undefined
  count(session: string, counter: Counter): void
  /** Forgets the session; what was counted. */
  endSession(session: string): Readonly<Record<Counter, number>>
  /** Calls of sessions that nobody touched for a week; the sessions are forgotten. */
  takeLost(): readonly OpenCall[]
}

const MAX_CALLS = 1000
const MAX_SESSIONS = 1000
const WEEK_MS = 7 * 24 * 3_600_000
/** Key, nanoseconds of this machine's clock, correlation_id. */
const SPAWN = /^spawn\.\d{20}\.([0-9a-f-]{36})$/
const CALL = /^[0-9a-f]{32}\.\d{20}\.[0-9a-f-]{36}$/

const digest = (text: string) => hash('sha256', text).slice(0, 32)

/** @param folder below the state directory; made when it is needed. @param now Unix milliseconds */
export function openCallsIn(folder: string, now: () => number = Date.now): OpenCalls {
  const placeOf = (session: string) => join(folder, digest(session))
  const agentFile = (session: string, agent: string) => join(placeOf(session), `agent.${digest(agent)}`)

  /** Makes room for one more. */
  function evict(place: string): OpenCall | undefined {
    const names = namesIn(place)
    if (names.length < MAX_CALLS) return undefined // each call that begins comes here
    const calls = callsAmong(names)
    return calls.length < MAX_CALLS ? undefined : takeAt(place, calls[0]!)
  }

  function takeAt(place: string, name: string): OpenCall | undefined {
    const call = readCall(join(place, name))
    return remove(join(place, name)) ? call : undefined
  }

  function takeAllIn(place: string, by: (call: OpenCall) => boolean): OpenCall[] {
    return callsAmong(namesIn(place)).flatMap((name) => {
      const call = readCall(join(place, name))
      return call && by(call) && remove(join(place, name)) ? [call] : []
    })
  }

  return {
    add(key, call, spawns = false) {
      const place = placeOf(call.session)
      const evicted = evict(place)
      const began = String(process.hrtime.bigint()).padStart(20, '0') // one clock for all processes since the machine started
      inFolder(place, () => writeFileSync(join(place, `${digest(key)}.${began}.${call.ref}`), JSON.stringify(call), { mode: 0o600 }))
      if (spawns) writeFileSync(join(place, `spawn.${began}.${call.ref}`), call.agent ?? '', { mode: 0o600 })
      return evicted
    },
    drop({ session, ref }) {
      const place = placeOf(session)
      for (const name of namesIn(place)) if (name.endsWith(`.${ref}`)) remove(join(place, name))
    },
    take(session, key) {
      const place = placeOf(session)
      for (const name of callsAmong(namesIn(place), digest(key))) {
        const call = takeAt(place, name)
        if (call) return call
      }
      return undefined
    },
    takeAll: (session, by) => takeAllIn(placeOf(session), by),
    link(session, agent, call) {
      const place = placeOf(session)
      if (readText(agentFile(session, agent)) !== undefined) return
      const waiting = namesIn(place)
        .filter((name) => SPAWN.test(name) && (call === undefined || name.endsWith(call.ref)))
        .toSorted()
      const found = firstOf(waiting, (name) => {
        const maker = readText(join(place, name))
        const ref = SPAWN.exec(name)?.[1]
        return ref !== undefined && remove(join(place, name)) ? { ref, ...(maker && { agent: maker }) } : undefined
      })
      const parent = call ?? found
      if (parent === undefined) return
      mkdirSync(place, { recursive: true, mode: 0o700 })
      writeFileSync(agentFile(session, agent), `${parent.ref}\n${parent.agent ?? ''}`, { mode: 0o600 })
    },
    parentOf(session, agent) {
      const [ref, maker] = readText(agentFile(session, agent))?.split(/\n(.*)/s) ?? []
      return ref ? { ref, ...(maker && { agent: maker }) } : undefined
    },
    count(session, counter) {
      const place = placeOf(session)
      inFolder(place, () => appendFileSync(join(place, `count.${counter}`), '.', { mode: 0o600 })) // its size is the count: processes append, none reads and writes
    },
    endSession(session) {
      const place = placeOf(session)
      const sizeOf = (counter: Counter) => statSync(join(place, `count.${counter}`), { throwIfNoEntry: false })?.size ?? 0
      const counts = Object.fromEntries(COUNTERS.map((counter) => [counter, sizeOf(counter)])) as Record<Counter, number> // every counter
      rmSync(place, { recursive: true, force: true })
      return counts
    },
    takeLost() {
      const isOld = (place: string) => now() - (statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? now()) > WEEK_MS
      return namesIn(folder)
        .slice(0, MAX_SESSIONS)
        .map((name) => join(folder, name))
        .filter(isOld)
        .flatMap((place) => {
          const lost = takeAllIn(place, () => true)
          rmSync(place, { recursive: true, force: true })
          return lost
        })
    },
  }
}

/** Runs `step`, and again in a folder that is made when there is none. */
function inFolder(place: string, step: () => void): void {
  try {
    step()
  } catch (e) {
    if (!(e instanceof Error && 'code' in e && e.code === 'ENOENT')) throw e
    mkdirSync(place, { recursive: true, mode: 0o700 })
    step()
  }
}

/** Files of open calls, oldest first. */
function callsAmong(names: readonly string[], key?: string): string[] {
  const calls = names.filter((name) => CALL.test(name) && (key === undefined || name.startsWith(`${key}.`)))
  return calls.toSorted((a, b) => (a.slice(33) < b.slice(33) ? -1 : 1))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // nothing began here, or it is gone
  }
}

/** What the first makes that makes anything. */
function firstOf<T>(names: readonly string[], make: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const made = make(name)
    if (made !== undefined) return made
  }
  return undefined
}

/** True for the one process that removed it. */
function remove(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch {
    return false
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** undefined for a file that is gone, or was cut by a crash. */
function readCall(path: string): OpenCall | undefined {
  try {
    const call: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isCall(call) ? call : undefined
  } catch {
    return undefined
  }
}

function isCall(value: unknown): value is OpenCall {
  if (typeof value !== 'object' || value === null) return false
  const { ref, tool, session, startedAt } = value as Partial<Record<keyof OpenCall, unknown>> // an object
  return typeof ref === 'string' && typeof tool === 'string' && typeof session === 'string' && typeof startedAt === 'number'
}
