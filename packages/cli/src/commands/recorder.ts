/**
 * `sworn recorder`: holds a ledger so that short-lived processes need not.
 *
 * Ends on SIGINT or SIGTERM, or after `--idle-exit` without new entries; always flushed and closed.
 * @module
 */

import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineCommand } from '../frame/command.ts'
import { openFor } from '../opening.ts'
import { findLedger, listSegments } from '../reading/layout.ts'
import { parseDuration } from '../text/time.ts'

export const recorder = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: { 'idle-exit': { type: 'string', value: 'TIME', about: 'end after this long without a new entry, e.g. 60s' } },
  example: 'sworn recorder ./audit --idle-exit 60s',
  async run([path], flags, io) {
    const idleMs = flags['idle-exit'] === undefined ? undefined : parseDuration(flags['idle-exit'], '--idle-exit')
    const opened = await openFor(io, { path })
    const ledger = opened.port.info.path
    io.say('info', `recording ${ledger}`)
    try {
      await waitForEnd(ledger, idleMs, io.signal)
    } finally {
      await opened.recorder.close()
    }
    return 0
  },
})

async function waitForEnd(ledger: string, idleMs: number | undefined, signal: AbortSignal): Promise<void> {
  let before = -1
  while (!signal.aborted) {
    await sleep(idleMs ?? 3_600_000, undefined, { signal }).catch(() => {}) // the signal ends the loop
    if (idleMs === undefined) continue
    const size = ledgerBytes(ledger)
    if (size === before) return
    before = size
  }
}

function ledgerBytes(ledger: string): number {
  const files = findLedger(ledger, '/')
  return listSegments(files).reduce((sum, segment) => sum + statSync(segment.path).size, 0)
}
