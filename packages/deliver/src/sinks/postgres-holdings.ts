/**
 * What the PostgreSQL sink holds: its rows, and whether their columns say what their lines say.
 * @module
 */
import type { Event } from '@sworn/dialects'
import type { Held, Holdings, OpenHoldings } from '../holdings.ts'
import { openPostgresCopy, type PostgresCopyOptions, type Row } from './postgres-copy.ts'
import { copiesOf, timeOf } from './postgres-schema.ts'

export interface PostgresHoldingsOptions extends PostgresCopyOptions {
  /** The ledger's. */
  readonly origin: string
  /** What is held as `line` is an event: the columns can be compared with it. */
  readonly isEvent: boolean
}

export function postgresHoldings({ origin, isEvent, ...options }: PostgresHoldingsOptions): OpenHoldings {
  return async (): Promise<Holdings> => {
    const copy = await openPostgresCopy(options)
    return {
      compares: 'bytes',
      findsExtra: true,
      async *read(range, signal) {
        for await (const row of copy.rows(origin, range, signal)) yield toHeld(row, isEvent)
      },
      ...(isEvent && { root: (range) => copy.root(origin, range) }),
      close: copy.close,
    }
  }
}

function toHeld(row: Row, isEvent: boolean): Held {
  return { seq: row.seq, body: row.line, wrong: !isEvent || isConsistent(row) ? undefined : 'a column is not what the line says' }
}

/** The columns, so far as their line can be read: what it is is compared with the ledger. */
function isConsistent({ line, entryHash, at, copies }: Row): boolean {
  const event = tryParse(line)
  if (!event) return true
  if (event.entry_hash !== entryHash || String(Date.parse(timeOf({ event })) * 1000) !== at) return false
  return copiesOf({ event }).every((copy, i) => copy === copies[i])
}

function tryParse(line: string): Event | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Event) : undefined // members are looked at one by one
  } catch {
    return undefined
  }
}
