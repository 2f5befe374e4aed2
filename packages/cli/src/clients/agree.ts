/** Shows what would change in a file of a client, and asks. @module */
import { SwornError } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import { formatDiff } from '../text/diff.ts'
import { escapeText } from '../text/escape.ts'

/**
 * True when `after` may be written; false when a person said no.
 * @throws SwornError USAGE where nobody can be asked
 */
export async function agree(path: string, before: string, after: string, yes: boolean, io: Io): Promise<boolean> {
  for (const line of formatDiff(before, after)) await io.out(escapeText(line))
  if (yes) return true
  if (io.canAsk) return await io.confirm(`Write this to ${escapeText(path)}?`)
  throw new SwornError('USAGE', 'nobody can be asked here; pass --yes to write this', path)
}
