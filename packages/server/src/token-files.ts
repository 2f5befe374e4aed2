/**
 * The server's own tokens: one file each, 0600, in the state directory, made on the first start.
 *
 * Two, because an agent that may report what it does must not be able to approve it. Of several servers that start
 * together one makes them.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createPrivateFile, readPrivateFile, SwornError } from '@sworn/recorder'
import type { Right, Token } from './options.ts'

export interface TokenFile extends Token {
  readonly path: string
}

const FILES: Readonly<Record<Right, string>> = { report: 'report.token', govern: 'govern.token' }
const TOKEN = /^[\x21-\x7e]{16,512}$/
const TOKEN_BYTES = 32

/**
 * Reads the tokens in `<state>/server`, and makes those that are not there.
 *
 * @throws SwornError CONFIG_INVALID when a file is open to others or holds no token; IO_FAILED
 */
export function openTokenFiles(state: string): readonly TokenFile[] {
  const folder = join(state, 'server')
  return (['report', 'govern'] as const).map((may) => {
    const path = join(folder, FILES[may])
    return { token: readToken(path) ?? makeToken(path), name: `${may}.token`, may, path }
  })
}

/** undefined: there is no such file. */
function readToken(path: string): string | undefined {
  const token = readPrivateFile(path, { code: 'CONFIG_INVALID' })?.trim()
  if (token === undefined || TOKEN.test(token)) return token
  throw new SwornError('CONFIG_INVALID', 'one token of 16 to 512 visible ASCII characters was expected', path)
}

function makeToken(path: string): string {
  createPrivateFile(path, `${randomBytes(TOKEN_BYTES).toString('base64url')}\n`)
  const token = readToken(path)
  if (token === undefined) throw new SwornError('IO_FAILED', 'the new token cannot be read', path)
  return token
}
