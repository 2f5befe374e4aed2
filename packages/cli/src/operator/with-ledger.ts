/** A ledger for a command that changes its files: done by whoever records it, by this process where nobody does. @module */
import { setTimeout as delay } from 'node:timers/promises'
import { type Door, type LoadedConfig, openPortHere } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import { parseDuration } from '../text/time.ts'
import { toPortOptions } from '../wiring.ts'
import { findHolder } from './holder.ts'

export const WAIT_FLAG = {
  wait: { type: 'string', value: 'TIME', about: 'how long to wait for a recorder that does not answer, like 90s; default: not at all' },
} as const

const RETRY_MS = 200

export type Operator = Pick<Door, 'operate'>

/** Opens the ledger, runs `step`, closes it. @throws SwornError LEDGER_BUSY while its holder does not answer, LEDGER_* as recovery found */
export async function withLedger<T>(
  config: LoadedConfig,
  wait: string | undefined,
  io: Io,
  step: (operator: Operator) => Promise<T>,
): Promise<T> {
  const untilMs = performance.now() + (wait === undefined ? 0 : parseDuration(wait, '--wait'))
  const door = await openWhenAnswered(config, untilMs, io)
  try {
    return await step(door)
  } finally {
    await door.close()
  }
}

async function openWhenAnswered(config: LoadedConfig, untilMs: number, io: Io): Promise<Door> {
  for (;;) {
    try {
      return await openPortHere({ ...toPortOptions(config, undefined), requireExisting: true })
    } catch (e) {
      if (!SwornError.is(e, 'LEDGER_BUSY')) throw e
      if (performance.now() >= untilMs) throw busy(config.values.log_path, e)
      await delay(RETRY_MS, undefined, { signal: io.signal })
    }
  }
}

function busy(path: string, cause: SwornError): SwornError {
  const holder = findHolder(path)
  return holder
    ? new SwornError('LEDGER_BUSY', `process ${holder.pid} holds this ledger and does not answer; end it, or wait with --wait`, path, {
        cause,
      })
    : cause
}
