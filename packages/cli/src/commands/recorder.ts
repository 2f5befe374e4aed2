/**
 * `sworn recorder`: holds a ledger so that short-lived processes need not.
 *
 * Ends on SIGINT or SIGTERM, or after `--idle-exit` without new entries (at once where another process records);
 * always flushed and closed. Without `--idle-exit` it stays ready to take over, and keeps the index up to date. It answers the
 * hooks of coding agents where no other process of this user does.
 * @module
 */

import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { findLedger, listSegments } from '@sworn/analyze/reading'
import { type HookDoor, openHookDoor } from '../answering/door.ts'
import { defineCommand } from '../frame/command.ts'
import { keepIndex } from '../live-index.ts'
import { openFor } from '../opening.ts'
import { findHolder } from '../operator/holder.ts'
import { parseDuration } from '../text/time.ts'

export const recorder = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: { 'idle-exit': { type: 'string', value: 'TIME', about: 'end after this long without a new entry, e.g. 60s' } },
  example: 'sworn recorder ./audit --idle-exit 60s',
  async run([path], flags, io) {
    const idleMs = flags['idle-exit'] === undefined ? undefined : parseDuration(flags['idle-exit'], '--idle-exit')
    const { signal } = io // listened for from here on: a ledger that is open is closed
    const opened = await openFor(io, { path, recorderIdle: 'none', stdoutIsFree: true })
    const ledger = opened.port.info.path
    const holder = findHolder(ledger)?.pid
    const index = idleMs === undefined ? await keepIndex(ledger, io) : undefined // one that was started on demand is there for whoever waits
    const door = await openHookDoor(opened.config.directories.state, io, opened.port)
    io.say('info', holder === process.pid ? `recording ${ledger}` : `process ${holder} records ${ledger}; ready to take over`)
    try {
      if (idleMs === undefined) await aborted(signal)
      else if (holder === process.pid || door) await waitForIdle(() => workOf(ledger, door), idleMs, signal) // else somebody was faster
    } finally {
      await door?.close()
      await opened.recorder.close()
      await index?.stop()
    }
    return 0
  },
})

async function aborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sleep(3_600_000, undefined, { signal }).catch(() => {}) // the signal ends the loop
}

/** Returns between one and one and a half times `idleMs` after `work` last changed. */
async function waitForIdle(work: () => number, idleMs: number, signal: AbortSignal): Promise<void> {
  let size = -1
  let grewAt = performance.now()
  while (!signal.aborted) {
    const found = work()
    if (found !== size) grewAt = performance.now()
    else if (performance.now() - grewAt >= idleMs) return
    size = found
    await sleep(idleMs / 2, undefined, { signal }).catch(() => {}) // the signal ends the loop
  }
}

/** Grows with every entry and every hook. */
function workOf(ledger: string, door: HookDoor | undefined): number {
  const files = findLedger(ledger, '/')
  return listSegments(files).reduce((sum, segment) => sum + statSync(segment.path).size, door?.visits() ?? 0)
}
