/**
 * How a failure looks: `error: …` then `hint: …` on stderr, and the exit code.
 *
 * The kind of failure decides the code: usage and configuration 2, everything else that kept us from
 * looking 3. Texts are escaped, because file names and recorded data may stand in them.
 * @module
 */
import { escapeText } from '../text/escape.ts'
import type { ExitCode } from './command.ts'
import type { World } from './io.ts'
import type { Refusal } from './parse.ts'

const USAGE_CODES = new Set([
  'USAGE',
  'CONFIG_INVALID',
  'POLICY_INVALID',
  'KEY_INVALID',
  'EVENT_INVALID',
  'FILTER_INVALID',
  'DRIVER_MISSING',
  'NODE_TOO_OLD',
])

/** Of zlib: what was to be decompressed is not what was compressed. */
const DAMAGE = /^(Z_|ZSTD_)/

/** Prints arguments that cannot be used, with the nearest known word; returns 2. */
export async function printRefusal(refusal: Refusal, command: string, io: World): Promise<ExitCode> {
  const { didYouMean } = await import('@sworn/recorder')
  const suggestion = refusal.unknown === undefined ? '' : didYouMean(refusal.unknown, refusal.known ?? [])
  io.err(escapeText(`error: ${refusal.refused}${suggestion}`))
  io.err(`hint: ${seeHelp(command)}`)
  return 2
}

const seeHelp = (command: string): string => `See \`sworn ${command ? `${command} ` : ''}--help\`.`

/** Prints anything that was thrown; returns 2 or 3. @param command whose help a usage error points to */
export async function printFailure(e: unknown, io: World, command = ''): Promise<ExitCode> {
  const { ERRORS, SwornError } = await import('@sworn/verify')
  if (SwornError.is(e)) {
    io.err(escapeText(`error: ${e.code} ${e.message}`))
    io.err(`hint: ${e.code === 'USAGE' ? seeHelp(command) : ERRORS[e.code]}`)
    return USAGE_CODES.has(e.code) ? 2 : 3
  }
  if (e instanceof TypeError && 'code' in e && e.code === 'ERR_INVALID_ARG_VALUE' && e.message.includes('null bytes')) {
    return await printFailure(new SwornError('USAGE', 'a path without NUL was expected'), io, command)
  }
  const system = toSystemError(e)
  if (system) {
    io.err(escapeText(`error: IO_FAILED ${system}`))
    io.err(`hint: ${ERRORS.IO_FAILED}`)
    return 3
  }
  if (e instanceof Error && 'code' in e && DAMAGE.test(String(e.code))) {
    const path = 'path' in e && typeof e.path === 'string' ? e.path : ''
    return await printFailure(new SwornError('LEDGER_CORRUPT', 'a compressed file is damaged', path), io, command)
  }
  const text = e instanceof Error ? `${e.name}: ${e.message}` : 'an unknown value was thrown'
  io.err(escapeText(`error: unexpected ${text}`))
  io.err('hint: this is a defect of sworn; run again with SWORN_LOG=debug and report what it prints')
  if (io.env.SWORN_LOG === 'debug' && e instanceof Error) io.err(escapeText(e.stack ?? '', { keepLines: true }))
  return 3
}

/** Of SQLite: busy, read only, I/O, full, cannot open. The place is at fault, not the file and not us. */
const SQLITE_PLACE = new Set([5, 8, 10, 13, 14])

/** `ENOENT in open (at path)` for an error of the operating system, also where SQLite met it. */
function toSystemError(e: unknown): string | undefined {
  if (e instanceof Error && 'errcode' in e && typeof e.errcode === 'number' && SQLITE_PLACE.has(e.errcode & 0xff))
    return `${e.message} in SQLite`
  if (!(e instanceof Error) || !('syscall' in e) || !('code' in e)) return undefined
  const path = 'path' in e && typeof e.path === 'string' ? ` (at ${e.path})` : ''
  return `${String(e.code)} in ${String(e.syscall)}${path}`
}
