/**
 * The thread that keeps the index of a growing ledger at most one look behind.
 *
 * Whoever erases, or wants it made anew, deletes the file: what is open here is then nobody's, and the look opens
 * another one. SQLite leaves the files of the new one alone when the old one is closed.
 * @module
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { createWaiter, findLedger, type LedgerFiles, type Waiter } from '@sworn/recorder/segments'
import { openFed } from '../open-index.ts'
import { INDEX_NAME, type IndexDatabase } from './database.ts'
import { feedIndex } from './feed.ts'
import type { LiveData, LiveMessage } from './live.ts'

/** Looks in a row that SQLite failed at. */
const MAX_FAILURES = 20
const RETRY_MS = 250
/** Between what woke it and its look: each look is a transaction, and costs as much for one entry as for a hundred. */
const REST_MS = 50

const { path } = workerData as LiveData // given by live.ts
const stop = new AbortController()
parentPort?.on('message', () => stop.abort())
await keep(findLedger(path, '/'))

async function keep(files: LedgerFiles): Promise<void> {
  if (files.directory === undefined) return
  const looker = createLooker(files, files.directory)
  const waiter = createWaiter(files, stop.signal)
  let failures = 0
  try {
    for (; !stop.signal.aborted; await (failures === 0 ? wait(waiter) : sleep(RETRY_MS))) {
      try {
        await looker.look()
        failures = 0
      } catch (e) {
        if (!isOfSqlite(e) || ++failures === MAX_FAILURES) throw e // a file that goes while it is read fails in many ways
        looker.close()
      }
    }
  } finally {
    waiter.close()
    looker.close()
    parentPort?.close()
  }
}

async function wait(waiter: Waiter): Promise<void> {
  await waiter.next()
  await sleep(REST_MS, undefined, { signal: stop.signal }).catch(() => {}) // the signal ends the loop
}

/** The index of the ledger at hand: one that is open is used as long as it is the file of its name. */
function createLooker(files: LedgerFiles, directory: string) {
  let open: { readonly index: IndexDatabase; readonly file: string | undefined } | undefined
  const close = () => {
    open?.index.close()
    open = undefined
  }
  const isHere = () => open?.file !== undefined && open.file === fileOf(directory)
  const reopen = async () => {
    close()
    const file = fileOf(directory) // before it is opened: another may take its place meanwhile
    open = { index: await openFed(files, directory, { signal: stop.signal, onNotice: say }), file }
  }
  return {
    close,
    /** Until what is fed is the file of its name, also afterwards: nothing may come that would make another look. */
    async look(): Promise<void> {
      do {
        if (open && isHere()) await feedIndex(open.index, files, { threads: 1, onRestart: () => say('the index is made anew') })
        else await reopen()
      } while (!isHere() && !stop.signal.aborted)
    },
  }
}

function isOfSqlite(e: unknown): boolean {
  return e instanceof Error && 'errcode' in e
}

/** Which file the index is, whatever its name. */
function fileOf(directory: string): string | undefined {
  const stat = statSync(join(directory, INDEX_NAME), { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev} ${stat.ino}`
}

function say(text: string): void {
  parentPort?.postMessage({ say: text } satisfies LiveMessage)
}
