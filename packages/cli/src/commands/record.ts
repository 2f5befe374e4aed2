/**
 * `sworn record`: JSON Lines on stdin become entries; each line that is not empty is answered with one, in order:
 * `{seq, entry_hash}`, or `{line, error}` as POST /v1/events says it, so that whoever waits for an answer has one.
 *
 * A bad line is named on stderr too and skipped, the rest is recorded, and the exit code is 1; 3 when the ledger did not take a
 * line. A signal ends the reading; what was read is recorded first. At most 1,000 events wait for their answers.
 * @module
 */

import { createSplitter } from '@sworn/analyze/reading'
import { ERRORS, type ErrorCode, parseStrict, SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import { exitOfSignal } from '../frame/interrupted.ts'
import type { Io } from '../frame/io.ts'
import { openFor } from '../opening.ts'
import { escapeText } from '../text/escape.ts'
import { parseDuration } from '../text/time.ts'

const WAITING = 1000
/** Deeper text is refused; what a record may hold of the depth below is bounded where it is shaped. */
const MAX_DEPTH = 1000
/** The line's own fault; every other code means that the ledger could not take it. */
const OF_THE_EVENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['EVENT_INVALID', 'EVENT_ID_CONFLICT'])

export const record = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    user: { type: 'string', value: 'USER', about: 'who is acting, for events that do not say' },
    'idle-exit': {
      type: 'string',
      value: 'TIME',
      about: 'how long a recorder that is started for this stays without a new entry, default 60s',
    },
    agent: { type: 'string', value: 'AGENT', about: 'name of the agent, for events that do not say' },
  },
  example: `echo '{"event_type":"data_access","target":"crm.contacts","user":"alice"}' | sworn record`,
  notes: [
    'Each line that is not empty is answered with one, in order: {"seq","entry_hash"}, or {"line","error"} for one that is refused.',
    'Where nobody records the ledger, a detached `sworn recorder` is started and takes the events; SWORN_RECORDER=off records here instead.',
  ],
  async run([path], flags, io) {
    const idle = flags['idle-exit']
    if (idle !== undefined) parseDuration(idle, '--idle-exit')
    const { signal } = io // listened for from here on: a ledger that is open is closed
    const { recorder } = await openFor(io, {
      path,
      user: flags.user,
      agent: flags.agent,
      shortLived: true,
      opensLater: true,
      recorderIdle: idle,
    })
    const refused = new Set<ErrorCode>()
    let number = 0
    let told: Promise<void> = Promise.resolve()
    let waiting = 0
    try {
      for await (const bytes of readStdin(io.stdin, signal)) {
        number++
        if (bytes.length === 0) continue
        told = tellAfter(told, recordLine(recorder, bytes), { number, io, refused })
        if (++waiting % WAITING === 0) await told
      }
      await told
    } finally {
      await recorder.close()
    }
    if (signal.aborted) return exitOfSignal(signal)
    for (const code of refused) io.err(`hint: ${ERRORS[code]}`)
    return refused.size === 0 ? 0 : [...refused].every((code) => OF_THE_EVENT.has(code)) ? 1 : 3
  },
})

/** Lines until the end, or until a signal: then what was begun and not ended is left out. */
async function* readStdin(stdin: Io['stdin'], signal: AbortSignal): AsyncGenerator<Buffer> {
  if (signal.aborted) return
  const splitter = createSplitter()
  const stop = () => stdin.destroy()
  signal.addEventListener('abort', stop)
  try {
    for await (const chunk of stdin) yield* splitter.push(Buffer.from(chunk))
  } catch (e) {
    if (!signal.aborted) throw e
  } finally {
    signal.removeEventListener('abort', stop)
  }
  const rest = splitter.rest()
  if (rest.length > 0 && !signal.aborted) yield rest
}

interface EventRecorder {
  record(event: never): Promise<object>
}

/** What became of a line; never rejects. */
type Answer = { readonly answer: object } | { readonly failed: unknown }

async function recordLine(recorder: EventRecorder, bytes: Buffer): Promise<Answer> {
  try {
    return { answer: await recorder.record(parseEvent(bytes) as never) } // record() checks the shape
  } catch (failed) {
    return { failed }
  }
}

interface Line {
  readonly number: number
  readonly io: Io
  readonly refused: Set<ErrorCode>
}

/** In the order of the lines, whichever is answered first. */
async function tellAfter(before: Promise<void>, pending: Promise<Answer>, { number, io, refused }: Line): Promise<void> {
  await before
  const told = await pending
  if ('answer' in told) return void (await io.out(JSON.stringify(told.answer)))
  const { failed: e } = told
  if (!SwornError.is(e)) throw e
  refused.add(e.code)
  io.err(escapeText(`error: line ${number}: ${e.code} ${e.message}`))
  await io.out(JSON.stringify({ line: number, error: { code: e.code, message: e.message, hint: ERRORS[e.code] } }))
}

/** Attacker-controlled. What readers of JSON disagree about is refused, never recorded in one of its readings. */
function parseEvent(bytes: Buffer): unknown {
  try {
    return parseStrict(bytes, { maxDepth: MAX_DEPTH })
  } catch (e) {
    if (!SwornError.is(e)) throw e
    throw new SwornError('EVENT_INVALID', e.message, e.at)
  }
}
