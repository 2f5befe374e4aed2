/**
 * Another sworn: its collector gets the lines, checks them on arrival, keeps a mirror and cosigns what it has seen.
 *
 * Shipping is witnessing: the cosigned checkpoint comes back with the answer and is put beside the ledger, whose recorder
 * notes it as `log.anchor`. A collector that lost its newest lines is given them again from the ledger. One that holds
 * another history, or more than the ledger, is never overwritten: delivery stays in trouble and says why.
 * @module
 */
import { join } from 'node:path'
import { findLedger, type LedgerFiles } from '@sworn/recorder/segments'
import { isJsonObject, parseNote, SwornError } from '@sworn/verify'
import { makeDirectory, readFile, replaceFile } from '../files.ts'
import { createSender, type HttpOptions, type HttpSender } from '../http.ts'
import { type Answer, jsonOf, judgeStatus, wrongAnswer } from '../http-answer.ts'
import { reasonOf } from '../ship.ts'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'
import { openSource } from '../source.ts'
import { endpoint } from './bulk.ts'
import { joinBodies } from './joined.ts'
import { readLogId } from './log-id.ts'

export interface CollectorSinkOptions extends HttpOptions {
  /** Of the collector's server. */
  readonly url: string
  readonly token: string
  /** Of the ledger, absolute. */
  readonly ledgerPath: string
  /** Names what comes back. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const LIMITS = { items: 5000, bytes: 4 << 20 }
const PIECE_BYTES = 4 << 20
/** What a collector answers to a checkpoint when it has looked at it: also one whose key it does not know yet. */
const HEARD: readonly number[] = [200, 409, 422]

export function collectorSink({ url, token, ledgerPath, name, now, ...http }: CollectorSinkOptions): OpenSink {
  return async () => {
    const files = findLedger(ledgerPath, '/')
    const mirror = endpoint(url, `/v1/mirrors/${await readLogId(files)}`)
    const lines = createSender({ ...http, url: `${mirror}/lines` })
    const checkpoint = createSender({ ...http, url: `${mirror}/checkpoint` })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' }
    const post = (sender: HttpSender, body: string | Buffer, signal: AbortSignal) => sender.post(body, headers, signal)
    let presented = false
    let kept = -1 // the size of the cosigned checkpoint that was put beside the ledger

    /** Says where this ledger stands: one that was cut is told apart from one that is new. */
    async function present(signal: AbortSignal): Promise<string | undefined> {
      const note = files.directory === undefined ? undefined : readFile(join(files.directory, 'checkpoint'))
      const answer = note === undefined ? undefined : await post(checkpoint, note, signal)
      if (answer && !HEARD.includes(answer.status)) return `HTTP ${answer.status}`
      const wrong = answer && contradictionOf(answer)
      presented = wrong === undefined
      return wrong
    }

    async function give(items: readonly Item[], signal: AbortSignal): Promise<Outcome> {
      const answer = await post(lines, bodyOf(items), signal)
      const next = answer.status === 409 ? gapOf(answer) : undefined
      if (next !== undefined && next < items[0]!.seq) {
        await giveAgain(files, { from: next, to: items[0]!.seq }, (body) => post(lines, body, signal))
        return allAgain(items, `the collector had ${next} entries; it was given the others again`, 0)
      }
      const wrong = contradictionOf(answer)
      if (wrong !== undefined) return allAgain(items, wrong)
      if (answer.status === 422) return allAgain(items, `the collector refuses a line (${codeOf(answer)})`)
      return judgeStatus(items, answer, now()) ?? accept(items, answer)
    }

    function accept(items: readonly Item[], answer: Answer): Outcome {
      const body = jsonOf(answer)
      const size = isJsonObject(body) ? body.size : undefined
      if (typeof size !== 'number' || size <= items.at(-1)!.seq) return allAgain(items, 'HTTP 200 without these entries')
      const cosigned = cosignedOf(answer)
      if (cosigned && files.directory !== undefined && cosigned.size > kept) {
        keepCosigned(files.directory, name, cosigned)
        kept = cosigned.size
      }
      return cosigned ? { id: `cosigned ${cosigned.size}` } : {}
    }

    return {
      limits: LIMITS,
      async send(items, signal) {
        try {
          const wrong = presented ? undefined : await present(signal)
          return wrong === undefined ? await give(items, signal) : allAgain(items, wrong)
        } catch (e) {
          return allAgain(items, reasonOf(e))
        }
      },
      async probe(signal): Promise<Probed> {
        const asked = createSender({ ...http, url: mirror, method: 'GET' })
        try {
          return standingOf(await asked.post('', headers, signal))
        } finally {
          asked.close()
        }
      },
      async close() {
        lines.close()
        checkpoint.close()
      },
    }
  }
}

/** What a probe is told. */
function standingOf(answer: Answer): Probed {
  const body = jsonOf(answer)
  const code = codeOf(answer)
  if (answer.status === 404 && code === 'MIRROR_GAP') return { shown: 'it collects; nothing of this ledger came there yet' }
  if (answer.status !== 200 || !isJsonObject(body) || typeof body.size !== 'number') return wrongAnswer(answer)
  return { shown: `it holds ${body.size} entries of this ledger` }
}

function bodyOf(items: readonly Item[]): Buffer {
  return joinBodies(items, { between: '\n', last: '\n' })
}

/** @throws Error with a code when a part was not taken */
async function giveAgain(
  files: LedgerFiles,
  { from, to }: { from: number; to: number },
  post: (body: Buffer) => Promise<Answer>,
): Promise<void> {
  const source = openSource(files, from)
  try {
    while (source.next < to) {
      const found = (await source.read()).filter(({ seq }) => seq < to)
      if (found.length === 0) return
      for (let at = 0; at < found.length; ) {
        const piece: Buffer[] = []
        for (let bytes = 0; at < found.length && (piece.length === 0 || bytes + found[at]!.bytes.length < PIECE_BYTES); at++) {
          piece.push(found[at]!.bytes, LF)
          bytes += found[at]!.bytes.length + 1
        }
        const { status } = await post(Buffer.concat(piece))
        if (status !== 200) throw Object.assign(new Error('the lines were not taken'), { code: `HTTP ${status}` })
      }
    }
  } finally {
    await source.close()
  }
}

const LF = Buffer.from('\n')

/** What the two histories contradict each other in; in words of ours. */
function contradictionOf(answer: Answer): string | undefined {
  if (answer.status !== 409) return undefined
  const code = codeOf(answer)
  if (code === 'MIRROR_ROLLBACK') return 'MIRROR_ROLLBACK: the collector holds more entries than this ledger'
  return code === 'MIRROR_FORK' ? 'MIRROR_FORK: the collector holds other entries than this ledger' : undefined
}

/** Of the table of errors, as the other side says it. */
export function codeOf(answer: Answer): string {
  const body = jsonOf(answer)
  const code = isJsonObject(body) && isJsonObject(body.error) ? body.error.code : undefined
  return typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? code : `HTTP ${answer.status}`
}

/** The entry from which the collector lacks lines. */
function gapOf(answer: Answer): number | undefined {
  const body = jsonOf(answer)
  const next = isJsonObject(body) ? body.next : undefined
  return codeOf(answer) === 'MIRROR_GAP' && typeof next === 'number' && Number.isSafeInteger(next) && next >= 0 ? next : undefined
}

interface Cosigned {
  readonly size: number
  /** Whole, with the collector's signature. */
  readonly note: string
}

function cosignedOf(answer: Answer): Cosigned | undefined {
  const body = jsonOf(answer)
  const { size, note, line } = isJsonObject(body) && isJsonObject(body.cosigned) ? body.cosigned : {}
  if (typeof size !== 'number' || typeof note !== 'string' || typeof line !== 'string') return undefined
  try {
    parseNote(`${note}${line}\n`)
    return { size, note: `${note}${line}\n` }
  } catch {
    return undefined // what is no note anchors nothing
  }
}

/** For the recorder, which takes it from there; a size that was taken is not put there again. @throws SwornError IO_FAILED */
function keepCosigned(directory: string, name: string, { size, note }: Cosigned): void {
  const taken = readFile(join(directory, '.state', 'anchors', name))
  if (taken !== undefined && sizeOf(taken) >= size) return
  const inbox = join(directory, '.state', 'anchors', 'inbox')
  makeDirectory(join(directory, '.state', 'anchors'))
  makeDirectory(inbox)
  replaceFile(join(inbox, name), note)
}

function sizeOf(note: string): number {
  const size = Number(note.split('\n', 2)[1])
  return Number.isSafeInteger(size) ? size : -1
}

/** @throws SwornError CONFIG_INVALID: a mirror takes every line as it is */
export function checkWhole(options: Readonly<Record<string, unknown>>): void {
  const narrowed = ['where', 'dialect', 'redact', 'records', 'start'].find((key) => options[key] !== undefined)
  if (narrowed !== undefined)
    throw new SwornError('CONFIG_INVALID', 'a collector takes every line as it is; leave the option out', `audit.sinks.${narrowed}`)
}
