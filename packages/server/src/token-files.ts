/**
 * The server's own tokens: one file each, 0600, in the state directory, made on the first start.
 *
 * Two, because an agent that may report what it does must not be able to approve it. Written under a name of its own,
 * flushed, and linked to its place: of several servers that start together one wins, and nobody reads half a token.
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { SwornError } from '@sworn/recorder'
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
    return { token: attempt(path, () => readToken(path) ?? makeToken(folder, path)), name: `${may}.token`, may, path }
  })
}

/** undefined: there is no such file. */
function readToken(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined // node's own errors
    throw e
  }
  try {
    if (process.platform !== 'win32' && (fstatSync(file).mode & 0o077) !== 0)
      throw new SwornError('CONFIG_INVALID', 'a file that only its owner can read (0600) was expected', path)
    const token = readFileSync(file, 'utf8').trim()
    if (!TOKEN.test(token)) throw new SwornError('CONFIG_INVALID', 'one token of 16 to 512 visible ASCII characters was expected', path)
    return token
  } finally {
    closeSync(file)
  }
}

function makeToken(folder: string, path: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = join(folder, `${randomUUID()}.new`)
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${randomBytes(TOKEN_BYTES).toString('base64url')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(draft, path)
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e // another server was first: its token counts
  } finally {
    rmSync(draft, { force: true })
  }
  const token = readToken(path)
  if (token === undefined) throw new SwornError('IO_FAILED', 'the new token cannot be read', path)
  return token
}

function attempt<T>(at: string, act: () => T): T {
  try {
    return act()
  } catch (e) {
    if (SwornError.is(e)) throw e
    throw new SwornError('IO_FAILED', 'the token file cannot be used', at, { cause: e })
  }
}
