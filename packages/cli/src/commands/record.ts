/**
 * `sworn record`: JSON Lines on stdin become entries; each answer is one line `{seq, entry_hash}` in order.
 *
 * A bad line is named and skipped, the rest is recorded, and the exit code is 1; 3 when the ledger did not take a
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
    const answers: Promise<void>[] = []
    try {
      for await (const bytes of readStdin(io.stdin, signal)) {
        number++
        if (bytes.length === 0) continue
        answers.push(recordLine(recorder, bytes, number, io).then((code) => void (code && refused.add(code))))
        if (answers.length >= WAITING) await Promise.all(answers.splice(0))
      }
      await Promise.all(answers)
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

async function recordLine(recorder: EventRecorder, bytes: Buffer, number: number, io: Io): Promise<ErrorCode | undefined> {
  try {
    const answer = await recorder.record(parseEvent(bytes) as never) // record() checks the shape
    await io.out(JSON.stringify(answer))
    return undefined
  } catch (e) {
    if (!SwornError.is(e)) throw e
    io.err(escapeText(`error: line ${number}: ${e.code} ${e.message}`))
    return e.code
  }
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
