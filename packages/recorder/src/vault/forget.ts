/**
 * What the vault forgets when lines go: rows that only those lines named.
 *
 * Nobody can ask for a value whose line is gone, so keeping it would keep it beyond its time. Before the lines themselves go, so
 * that a crash in between is finished by doing it again. Source: docs/guides/erasure-and-retention.md.
 * @module
 */
import type { Env } from '../ledger/core.ts'
import { eachLine } from '../ledger/scan.ts'
import { digestsIn, mayCommit } from './digests.ts'
import { dropRows, hasRows } from './store.ts'

/** Digests that are held at once, of 43 characters each. */
const MAX_HELD = 200_000

/** Takes the rows out that the lines in `paths` name. @throws Error of the file system */
export function forgetRowsOf(env: Env, paths: readonly string[]): void {
  if (!hasRows(env)) return
  const held = new Set<string>()
  const flush = (): void => {
    if (held.size > 0) dropRows(env, ({ digest }) => held.has(digest))
    held.clear()
  }
  for (const path of paths) {
    eachLine(env.ops, path, 0, (line) => {
      if (mayCommit(line)) for (const digest of digestsIn(line)) held.add(digest)
      if (held.size >= MAX_HELD) flush()
      return true
    })
  }
  flush()
}
