/**
 * One exchange's view of its session: the state is the session's, the ends are its own.
 *
 * Where the server named the session, the order of its requests is kept from exchange to exchange, so that a
 * cancellation cannot overtake its call while that waits for a decision.
 * @module
 */
import { createLane, type Lane } from '../relay/lane.ts'
import type { Outlet } from '../relay/outlet.ts'
import type { Session } from '../relay/session.ts'
import type { Beside } from '../relay/session-tokens.ts'
import type { ClientSession } from './sessions.ts'

const nothing = () => {}

/** An outlet that hands everything to `write`, and what is said beside an answer to `aside`. */
export function outletTo(write: (line: Buffer) => void, aside?: (line: Buffer) => void): Outlet {
  const base = { blocked: false, heavy: false, broken: false, write, end() {}, drained: () => Promise.resolve(), detach() {} }
  return aside === undefined ? base : { ...base, aside }
}

/** A lane of one exchange in the lane of its session: it takes its turn there and writes here. */
function laneIn(shared: Lane, write: (line: Buffer) => void, onQueued: () => void): Lane {
  const sent = (line: Buffer, onSent?: () => void) => () => {
    write(line)
    onSent?.()
  }
  return {
    get length() {
      return shared.length
    },
    hold() {
      onQueued()
      const slot = shared.hold()
      return { release: (line, onSent) => slot.release(line, line === undefined ? undefined : sent(line, onSent)) }
    },
    push(line, onSent) {
      onQueued()
      shared.push(line, sent(line, onSent))
    },
  }
}

export interface ViewEnds {
  readonly toClient: Outlet
  readonly toServer: Outlet
  /** Its header fields. */
  readonly beside: Beside
  /** The message of this exchange took its place in the order of the session. */
  readonly onQueued: () => void
}

export function createView({ session, stateful }: ClientSession, { toClient, toServer, beside, onQueued }: ViewEnds): Session {
  const own = stateful ? {} : { calls: new Map(), cancelled: new Map(), asked: new Map() }
  let gone: Session['gone']
  return {
    ...session,
    ...own,
    toClient,
    toServer,
    beside,
    lane: laneIn(stateful ? session.lane : createLane(nothing, nothing), toServer.write, onQueued),
    get gate() {
      return session.gate
    },
    get server() {
      return session.server
    },
    set server(peer) {
      session.server = peer
    },
    get client() {
      return session.client
    },
    set client(peer) {
      session.client = peer
    },
    get gone() {
      return gone ?? session.gone
    },
    set gone(why) {
      gone = why
    },
  }
}
