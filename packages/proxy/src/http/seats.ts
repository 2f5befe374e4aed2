/**
 * Which server process a request belongs to.
 *
 * The 2025 era gets a process by `initialize` and a name for it; requests of the stateless era share one a principal,
 * and another while their id is taken.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Message } from '../frames/read.ts'
import type { Principal } from './admit.ts'
import type { Arrival } from './exchange.ts'
import { fieldOf } from './headers.ts'
import type { Limits } from './options.ts'
import { isIdle, openSeat, type Seat, type StdioServerOptions } from './seat.ts'

/** Processes of the server at one time. */
const MAX_PROCESSES = 64
/** A session that is idle for so long makes room where there is none. */
const EVICT_MS = 60_000

export interface Seats {
  /** Of the session that is named, or a new one for `initialize`; undefined: there is none, or no room. */
  find(arrival: Arrival, message: Message): Seat | undefined
  named(arrival: Arrival): { readonly name: string; readonly seat: Seat } | undefined
  leave(name: string): void
  sweep(): void
  close(): Promise<void>
}

export function createSeats(options: StdioServerOptions, { sessions, idleMs }: Required<Limits>): Seats {
  const seats = new Map<string, Seat>()
  const most = Math.min(sessions, MAX_PROCESSES)

  function open(name: string, principal: Principal, isSession: boolean): Seat | undefined {
    if (seats.size >= most && !evict()) return undefined
    const seat = openSeat(options, principal, isSession)
    seats.set(name, seat)
    void seat.ended.then(() => seats.get(name) === seat && seats.delete(name))
    return seat
  }
  /** Makes room by the session that was idle longest, if that was for a while. */
  function evict(): boolean {
    const oldest = performance.now() - EVICT_MS
    const idle = [...seats].filter(([, seat]) => isIdle(seat) && seat.waiting.size === 0 && seat.usedAt < oldest)
    const [name] = idle.toSorted(([, a], [, b]) => a.usedAt - b.usedAt)[0] ?? []
    if (name !== undefined) leave(name)
    return name !== undefined
  }
  function named({ request, principal }: Arrival) {
    const name = fieldOf(request.headers, 'mcp-session-id') ?? ''
    const seat = seats.get(name)
    return seat !== undefined && seat.principal.key === principal.key ? { name, seat } : undefined
  }
  function leave(name: string): void {
    seats.get(name)?.input.end()
    seats.delete(name)
  }

  return {
    named,
    leave,
    find(arrival, message) {
      if (fieldOf(arrival.request.headers, 'mcp-session-id') !== undefined) return named(arrival)?.seat
      if (message.kind === 'request' && message.method === 'initialize') {
        const name = randomUUID()
        const seat = open(name, arrival.principal, true)
        if (seat) arrival.response.setHeader('Mcp-Session-Id', name)
        return seat
      }
      for (let n = 0; n < most; n++) {
        const name = `stateless ${n} ${arrival.principal.key}` // no session is called so: names have no spaces
        const seat = seats.get(name)
        if (seat === undefined) return open(name, arrival.principal, false)
        if (message.kind !== 'request' || !seat.waiting.has(message.id)) return seat
      }
      return undefined
    },
    sweep() {
      const oldest = performance.now() - idleMs
      for (const [name, seat] of seats) if (isIdle(seat) && seat.usedAt < oldest) leave(name)
    },
    async close() {
      const all = [...seats.values()]
      for (const name of [...seats.keys()]) leave(name)
      await Promise.all(all.map((seat) => seat.ended))
    },
  }
}
