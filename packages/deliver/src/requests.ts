/**
 * What `sworn sinks replay` asks of the process that delivers: a file that it finds at its next look.
 * @module
 */
import { rmSync } from 'node:fs'
import { isJsonObject, parseStrict } from '@sworn/verify'
import { readFile, replaceFile } from './files.ts'

export interface ReplayRequest {
  /** Deliver again from this entry on; absent: send what is parked. */
  readonly from?: number
}

/** @throws SwornError IO_FAILED */
export function writeRequest(path: string, request: ReplayRequest): void {
  replaceFile(path, `${JSON.stringify(request)}\n`)
}

/** Undefined when nothing is asked. A file that is none is taken for a request to send what is parked: that harms nothing. */
export function readRequest(path: string): ReplayRequest | undefined {
  const text = readFile(path)
  if (text === undefined) return undefined
  try {
    const value = parseStrict(text.trimEnd())
    return isJsonObject(value) && typeof value.from === 'number' && Number.isSafeInteger(value.from) && value.from >= 0
      ? { from: value.from }
      : {}
  } catch {
    return {}
  }
}

export function endRequest(path: string): void {
  rmSync(path, { force: true })
}
