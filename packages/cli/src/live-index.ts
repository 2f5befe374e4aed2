/**
 * The index of a ledger that this process holds for long, kept at most one batch behind.
 * @module
 */
import { resolve } from 'node:path'
import type { LiveIndex } from '@sworn/analyze'
import { SwornError } from '@sworn/verify'
import type { Io } from './frame/io.ts'

/** Queries find the ledger at `path` indexed; undefined where this Node has no index. */
export async function keepIndex(path: string, io: Io): Promise<LiveIndex | undefined> {
  const { startLiveIndex } = await import('@sworn/analyze')
  const say = (text: string) => io.say('info', text)
  try {
    return await startLiveIndex(resolve(io.cwd, path), say, (reason) =>
      io.say('warn', `the index is not kept up to date: ${reason}; queries do it`),
    )
  } catch (e) {
    if (!SwornError.is(e, 'NODE_TOO_OLD')) throw e
    io.say('info', `no index is kept: ${e.message}`)
    return undefined
  }
}
