/**
 * The log_id of a ledger, as its first record says. Unverified: it names the mirror, and the collector checks it.
 * @module
 */
import { join } from 'node:path'
import type { LedgerFiles } from '@sworn/recorder/segments'
import { isJsonObject, type JsonValue, SwornError } from '@sworn/verify'
import { readFile } from '../files.ts'
import { readAt } from '../history.ts'

/** @throws SwornError LINE_MALFORMED when there is no log.open; the file system's errors */
export async function readLogId(files: LedgerFiles): Promise<string> {
  const first = (await readAt(files, 0))?.bytes.toString('utf8') ?? kept(files)
  const value = first === undefined ? undefined : tryParse(first)
  const logId = isJsonObject(value) && value.event_type === 'log.open' ? value.log_id : undefined
  if (typeof logId === 'string' && /^[\w-]{22}$/.test(logId)) return logId
  throw new SwornError('LINE_MALFORMED', 'a log.open with a log_id was expected', 'seq=0')
}

/** The first line of reserved.jsonl, where the first segment was pruned. */
function kept({ directory }: LedgerFiles): string | undefined {
  return directory === undefined ? undefined : readFile(join(directory, 'reserved.jsonl'))?.split('\n', 1)[0]
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
