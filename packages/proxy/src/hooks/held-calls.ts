/**
 * Calls that begin and end in one process: in memory.
 *
 * The same promises as the files of `open-calls.ts`, but that a crash forgets them: the process that asks is the agent's
 * own, and its ledger says that it stopped.
 * @module
 */
import type { Counter, OpenCall, OpenCalls, Parent } from './open-calls.ts'

const MAX_CALLS = 1000
const MAX_SESSIONS = 1000

interface Session {
  calls: { readonly key: string; readonly call: OpenCall }[]
  /** Calls that begin a subagent and began none yet, oldest first. */
  spawning: Parent[]
  readonly parents: Map<string, Parent>
  readonly counts: Record<Counter, number>
}

export function heldCalls(): OpenCalls {
  const sessions = new Map<string, Session>()
  const lost: OpenCall[] = []

  /** Makes room by forgetting the session that began first: its calls are lost. */
  function enter(name: string): Session {
    const known = sessions.get(name)
    if (known) return known
    const made: Session = { calls: [], spawning: [], parents: new Map(), counts: { allowed: 0, denied: 0, approvals: 0, dlp_blocked: 0 } }
    sessions.set(name, made)
    const [oldest] = sessions.entries()
    if (sessions.size > MAX_SESSIONS && oldest) {
      sessions.delete(oldest[0])
      lost.push(...oldest[1].calls.map(({ call }) => call))
    }
    return made
  }

  return {
    add(key, call, spawns = false) {
      const session = enter(call.session)
      const evicted = session.calls.length < MAX_CALLS ? undefined : session.calls.shift()?.call
      session.calls.push({ key, call })
      if (spawns) session.spawning = [...session.spawning, call].slice(-MAX_CALLS)
      return evicted
    },
    drop({ session: name, ref }) {
      const session = enter(name)
      session.calls = session.calls.filter(({ call }) => call.ref !== ref)
      session.spawning = session.spawning.filter((waiting) => waiting.ref !== ref)
    },
    take(name, key) {
      const { calls } = enter(name)
      const at = calls.findIndex((open) => open.key === key)
      return at < 0 ? undefined : calls.splice(at, 1)[0]?.call
    },
    takeAll(name, by) {
      const session = enter(name)
      const { true: taken = [], false: left = [] } = Object.groupBy(session.calls, ({ call }) => (by(call) ? 'true' : 'false'))
      session.calls = left
      return taken.map(({ call }) => call)
    },
    link(name, agent, call) {
      const session = enter(name)
      if (session.parents.has(agent) || session.parents.size >= MAX_CALLS) return
      const parent = call ?? session.spawning[0]
      session.spawning = session.spawning.filter(({ ref }) => ref !== parent?.ref)
      if (parent !== undefined) session.parents.set(agent, parent)
    },
    parentOf: (name, agent) => sessions.get(name)?.parents.get(agent),
    count(name, counter) {
      enter(name).counts[counter]++
    },
    endSession(name) {
      const { counts } = enter(name)
      sessions.delete(name)
      return counts
    },
    takeLost: () => lost.splice(0),
  }
}
