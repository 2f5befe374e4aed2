/**
 * Where the state of each sink's delivery lies: `sinks/<name>/` in the ledger's directory, 0700.
 * @module
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SwornError } from '@sworn/verify'

export interface SinkPlaces {
  readonly directory: string
  readonly cursor: string
  readonly receipts: string
  readonly dead: string
  /** Why it does not go on right now; absent while it does. */
  readonly trouble: string
  /** What `sworn sinks replay` asks of the process that delivers. */
  readonly request: string
}

/** A name of a sink is the name of a folder. */
const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/

/** @param directory the ledger's. @throws SwornError CONFIG_INVALID */
export function sinkPlaces(directory: string, name: string): SinkPlaces {
  if (!NAME.test(name))
    throw new SwornError('CONFIG_INVALID', 'a name of lower-case letters, digits, dots, - and _ was expected', 'sinks.name')
  const own = join(directory, 'sinks', name)
  return {
    directory: own,
    cursor: join(own, 'cursor.json'),
    receipts: join(own, 'receipts.jsonl'),
    dead: join(own, 'dead.jsonl'),
    trouble: join(own, 'trouble.json'),
    request: join(own, 'replay.json'),
  }
}

/** The sinks that ever were delivered to, by name. */
export function listSinks(directory: string): readonly string[] {
  try {
    return readdirSync(join(directory, 'sinks'))
      .filter((name) => NAME.test(name))
      .toSorted()
  } catch {
    return [] // nothing was delivered yet
  }
}
