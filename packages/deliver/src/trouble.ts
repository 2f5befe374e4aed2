/**
 * Why a sink does not go on, for people in other processes. Not synced: it is written anew at the next try.
 * @module
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { isJsonObject, parseStrict } from '@sworn/verify'
import type { Clock } from './clock.ts'
import { readFile } from './files.ts'

export interface Trouble {
  /** In the other side's code and our words; no value, no secret. */
  readonly reason: string
  readonly since: string
  readonly tries: number
  /** When it is tried again. */
  readonly next: string
}

export interface Teller {
  trouble(reason: string, tries: number, delayMs: number): void
  clear(): void
}

export function createTeller(path: string, clock: Clock): Teller {
  let since: string | undefined
  return {
    trouble(reason, tries, delayMs) {
      const now = clock.now()
      since ??= new Date(now).toISOString()
      write(path, { reason, since, tries, next: new Date(now + delayMs).toISOString() })
    },
    clear() {
      if (since !== undefined || readTrouble(path) !== undefined) rmSync(path, { force: true })
      since = undefined
    },
  }
}

function write(path: string, trouble: Trouble): void {
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(trouble)}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch {
    // only a note for people: a disk that is full must not be the end of delivery
  }
}

export function readTrouble(path: string): Trouble | undefined {
  try {
    const value = parseStrict((readFile(path) ?? '').trimEnd())
    if (!isJsonObject(value)) return undefined
    const { reason, since, tries, next } = value
    const known = typeof reason === 'string' && typeof since === 'string' && typeof tries === 'number' && typeof next === 'string'
    return known ? { reason, since, tries, next } : undefined
  } catch {
    return undefined // absent or damaged: nothing depends on it
  }
}
