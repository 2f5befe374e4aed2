/**
 * Questions of every process on a ledger, answered at `sworn serve`: both ends, with the ledger between them.
 *
 * A proxy that asks reads answers from the ledger while it waits; a server reads questions from it and records answers,
 * sealed with the token that governs (govern/approvals/channels/sealed). That a server is there is shown by a file that
 * it keeps fresh: a question does not wait for somebody who is not.
 * @module
 */
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Entry } from '@sworn/analyze/reading'
import {
  type ApprovalApi,
  type Channel,
  createApprovalApi,
  createSealedChannel,
  parseAnswer,
  type Question,
  type Reception,
  type Report,
  sealedEvent,
  settledBy,
  toAskedQuestion,
} from '@sworn/govern/approvals'
import { openTokenFiles, type TokenFile } from '@sworn/server'
import { SwornError } from '@sworn/verify'
import type { Io } from './frame/io.ts'
import { type LedgerWatch, watchLedger } from './ledger-watch.ts'
import type { Opened } from './open-recorder.ts'

const FRESH_MS = 15_000
const TOUCH_MS = 5_000
/** How long an answer waits to be heard before its sender is told that it is recorded. */
const HEARD_MS = 5_000
const MAX_QUESTIONS = 1_000

function markOf({ config, port }: Opened): string {
  return join(config.directories.state, 'server', `${port.info.logId}.serving`)
}

function isFresh(mark: string): boolean {
  const age = Date.now() - (statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return age < FRESH_MS
}

function governOf(tokens: readonly TokenFile[]): string {
  const found = tokens.find(({ may }) => may === 'govern')
  if (found === undefined) throw new TypeError('the token that governs was expected') // an empty key would be everybody's
  return found.token
}

/** The way of a proxy to whoever answers at `sworn serve`; it shows nothing while no such server runs. */
export function createServedChannel(opened: Opened, io: Pick<Io, 'say'>): Channel {
  const mark = markOf(opened)
  let waiting = 0
  let watch: Promise<LedgerWatch> | undefined
  const follow = (lost: () => void) => {
    waiting++
    const looks = setInterval(() => isFresh(mark) || lost(), TOUCH_MS)
    watch ??= watchLedger(opened.port.info.path, { lately: sealed.hear, now: sealed.hear }, io.say)
    watch.catch(lost) // no answer can be heard
    return () => {
      clearInterval(looks)
      if (--waiting > 0) return
      watch?.then((one) => one.close()).catch(() => {}) // told to whoever waited
      watch = undefined
    }
  }
  const secret = () => governOf(openTokenFiles(opened.config.directories.state))
  const sealed = createSealedChannel({ secret, isShown: () => isFresh(mark), follow })
  return sealed.channel
}

export interface ServedApprovals {
  readonly route: ApprovalApi['route']
  /** Takes what is recorded, from the newest segment on. */
  take(entry: Entry): void
  close(): void
}

/** A question of some process, as it is shown here. */
interface Shown {
  readonly question: Question
  readonly withdraw: () => void
  /** Whoever answered waits for this. */
  readonly settled: PromiseWithResolvers<Reception>
  readonly timer: NodeJS.Timeout
}

/** Shows open questions of the ledger at `/api/approvals` and records answers to them. @throws SwornError IO_FAILED */
export function openServedApprovals(opened: Opened, tokens: readonly TokenFile[], origins: readonly string[]): ServedApprovals {
  const { recorder } = opened
  const shown = new Map<string, Shown>()
  const api = createApprovalApi({
    tokens: tokens.filter(({ may }) => may === 'govern').map(({ token, name }) => ({ token, approver: name })),
    origins,
    note: (event) => void recorder.record(event).catch(() => {}), // counted by the recorder
  })
  const mark = keepMark(markOf(opened))

  async function answer(question: Question, settled: Shown['settled'], report: Report): Promise<Reception> {
    const said = report.kind === 'answer' ? parseAnswer(report.answer) : undefined
    if (said === undefined) return 'malformed'
    if (!shown.has(question.id)) return 'late'
    if (said.shownHash !== question.shownHash) return 'mismatch'
    await recorder.record(sealedEvent(governOf(tokens), question, said), { level: 'sync', required: true })
    const timer = setTimeout(() => settled.resolve('noted'), HEARD_MS)
    return settled.promise.finally(() => clearTimeout(timer))
  }

  function show(question: Question): void {
    const settled = Promise.withResolvers<Reception>()
    const withdraw = api.show(question, (report) => answer(question, settled, report))
    const timer = setTimeout(() => end(question.id, 'late'), question.timeoutMs)
    timer.unref()
    shown.set(question.id, { question, withdraw, settled, timer })
  }

  function end(id: string, how: Reception): void {
    const one = shown.get(id)
    if (one === undefined) return
    clearTimeout(one.timer)
    shown.delete(id)
    one.withdraw()
    one.settled.resolve(how)
  }

  return {
    route: api.route,
    take(entry) {
      const settled = settledBy(entry)
      if (settled) end(settled.id, settled.isOurs ? 'accepted' : 'late')
      const question = shown.size < MAX_QUESTIONS ? toAskedQuestion(entry, Date.now()) : undefined
      if (question && !shown.has(question.id)) show(question)
    },
    close() {
      mark.close()
      for (const id of [...shown.keys()]) end(id, 'late')
    },
  }
}

/** A file that is fresh while this process lives. @throws SwornError IO_FAILED */
function keepMark(path: string): { close(): void } {
  const touch = () => writeFileSync(path, `${process.pid}\n`, { mode: 0o600 }) // made again when another server of the ledger ended
  try {
    touch()
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'the file cannot be written', path, { cause })
  }
  const timer = setInterval(() => {
    try {
      touch()
    } catch {
      // without it proxies do not wait for answers from here
    }
  }, TOUCH_MS)
  timer.unref()
  return {
    close() {
      clearInterval(timer)
      rmSync(path, { force: true })
    },
  }
}
