/**
 * The stdio proxy, whole: one client, one server, every line in between. Read this file first.
 *
 * Raw lines are relayed; messages are parsed from a copy (frames/read). From the client: judge,
 * record, forward (from-client, tool-call). From the server: match, look through, record, forward
 * (from-server). Memory is bounded: each side is read only as fast as the other side and the
 * recorder take it.
 * @module
 */
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { createSplitter } from '../frames/split.ts'
import { abandonAsks } from './asking.ts'
import { createSession, noteEnd, startOf, warnOf } from './create-session.ts'
import { takeFromClient } from './from-client.ts'
import { takeFromServer } from './from-server.ts'
import type { ProxyExit, ProxyOptions } from './options.ts'
import { createOutlet } from './outlet.ts'
import { type Direction, refuseLost } from './refused.ts'
import { openServer, type ServerOpener, type ServerProcess } from './server-process.ts'
import { answer, CODES, durationOf, isFollowed, membersOf, noteMatches, type Session } from './session.ts'
import { createLogFilter } from './stderr.ts'

/** Frames that may wait for a decision before the client is read no further. */
const LONG_LANE = 512

/** One side that is read line by line. */
interface Inlet {
  hold(on: boolean): void
  detach(): void
}

function createInlet(
  stream: Readable,
  take: (line: Buffer) => void,
  lost: (why: 'too_long' | 'unterminated') => void,
  onEnd: () => void,
): Inlet {
  const splitter = createSplitter({ onFrame: take, onLost: lost })
  let held = false
  let over = false
  const end = () => {
    if (over) return
    over = true
    splitter.end()
    onEnd()
  }
  const push = (chunk: Buffer) => splitter.push(chunk)
  stream.on('data', push)
  stream.on('end', end)
  stream.on('close', end)
  stream.on('error', end)
  return {
    hold(on) {
      if (on === held) return
      held = on
      if (on) stream.pause()
      else stream.resume()
    },
    detach() {
      stream.off('data', push)
      stream.off('end', end)
      stream.off('close', end)
      stream.pause()
    },
  }
}

/** Every request that has no answer is answered, every call gets its outcome record. */
function failCalls(session: Session, { exitCode, signal }: ProxyExit): void {
  const metadata = { exit_code: exitCode, signal }
  for (const call of session.calls.values()) {
    if (isFollowed(call)) {
      const about = { ...membersOf(session, call), error_type: 'server_exited', duration_ms: durationOf(session, call) }
      session.audit.note({ event_type: 'tool_call_error', ...about, metadata })
    }
    answer(
      session,
      { ...call, modern: false },
      { code: CODES.gone, message: 'The server exited', data: { tool: call.tool, reason: 'server_exited' } },
    )
  }
  session.calls.clear()
}

async function finish(session: Session, exit: ProxyExit, options: ProxyOptions): Promise<void> {
  abandonAsks(session)
  await Promise.allSettled(session.deciding)
  failCalls(session, exit)
  await noteEnd(session, { exit_code: exit.exitCode, signal: exit.signal })
  const patience = options.ackTimeoutMs ?? 2000
  await Promise.all([
    session.audit.settled(patience),
    Promise.race([session.toClient.drained(), wait(patience, undefined, { ref: false })]),
  ])
}

/** Stops reading a side while what it leads to is not ready. */
function balance(session: Session, client: Inlet, server: Inlet): void {
  const { toClient, toServer, audit, lane } = session
  client.hold(toServer.blocked || toClient.heavy || audit.full || lane.length > LONG_LANE)
  server.hold(toClient.blocked || toServer.heavy || audit.full)
}

/** The client went away: what it asked for is finished, then the server has to end. */
async function windDown(session: Session, server: ServerProcess, options: ProxyOptions): Promise<void> {
  abandonAsks(session)
  await Promise.allSettled(session.deciding)
  session.toServer.end()
  const busy = session.calls.size > 0 && !session.toClient.broken
  server.stop(busy ? (options.drainGraceMs ?? 30_000) : (options.closeGraceMs ?? 1500), options.termGraceMs ?? 1500)
}

function forwardSignals(server: ServerProcess, { signals = process, termGraceMs = 1500 }: ProxyOptions): () => void {
  const pass = (signal: 'SIGTERM' | 'SIGINT') => () => {
    server.kill(signal)
    server.stop(termGraceMs, termGraceMs)
  }
  const [term, int] = [pass('SIGTERM'), pass('SIGINT')]
  signals.on('SIGTERM', term)
  signals.on('SIGINT', int)
  return () => {
    signals.off('SIGTERM', term)
    signals.off('SIGINT', int)
  }
}

/**
 * Runs the server and relays between it and the client until the server has ended.
 *
 * Resolves with the server's exit after every request in flight was answered and every record was
 * acknowledged, or two seconds passed. `stdout` and `stderr` are not ended.
 *
 * @param open how the server is reached; default: as a process of our own
 * @throws SwornError IO_FAILED when the command cannot be started; nothing was read or recorded then
 */
export async function runStdioProxy(options: ProxyOptions, open: ServerOpener = openServer): Promise<ProxyExit> {
  let session: Session | undefined
  let inlets: readonly [Inlet, Inlet] | undefined
  let leaving = false
  const server = await open(options, () => session?.toClient.blocked ?? false)
  const onChange = () => {
    if (session === undefined || inlets === undefined) return
    balance(session, ...inlets)
    if (session.toClient.broken) leave(session)
  }
  const leave = (live: Session) => {
    if (leaving) return
    leaving = true
    void windDown(live, server, options)
  }
  const live = createSession(options, {
    transport: 'stdio',
    toClient: createOutlet(options.stdout, onChange),
    toServer: createOutlet(server.stdin, onChange),
    onChange,
  })
  warnOf(options)
  session = live
  const lost = (direction: Direction) => (why: 'too_long' | 'unterminated') => refuseLost(live, why, direction)
  live.audit.note({ event_type: 'session_start', metadata: { command: basename(options.command), ...startOf(options) } })
  const log = createLogFilter({ gate: () => options.gate, found: (matches) => noteMatches(live, matches, { target: 'stderr' }) })
  server.stderr
    .on('close', () => log.end())
    .pipe(log)
    .pipe(options.stderr, { end: false })
  inlets = [
    createInlet(
      options.stdin,
      (line) => takeFromClient(live, line),
      lost('request'),
      () => leave(live),
    ),
    createInlet(
      server.stdout,
      (line) => takeFromServer(live, line),
      lost('response'),
      () => {},
    ),
  ]
  const unhook = forwardSignals(server, options)
  const exit = await server.ended
  live.gone = 'server_exited'
  await finish(live, exit, options)
  unhook()
  for (const part of [...inlets, live.toClient, live.toServer]) part.detach()
  return exit
}
