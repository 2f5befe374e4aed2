/**
 * What a type of sink is to a configuration: a name, its options, and what is opened for them.
 * @module
 */
import type { Writable } from 'node:stream'
import { z } from 'zod'
import type { OpenHoldings } from '../holdings.ts'
import type { OpenSink } from '../sink.ts'
import type { Logger } from './logger.ts'

export interface Opening {
  /** Of the ledger. */
  readonly origin: string
  /** Of the ledger, absolute. */
  readonly ledgerPath: string
  /** Of sworn. */
  readonly version: string
  readonly stdout: Writable
  readonly logger?: Logger | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** @throws SwornError CONFIG_INVALID */
  readonly secret: (value: string | undefined, file: string | undefined) => string | undefined
}

/** Options as a type's schema made them. */
export type TypeOptions = Readonly<Record<string, unknown>>

export interface Opened {
  readonly open: OpenSink
  /** Absent: it cannot be asked what it holds. */
  readonly holdings?: OpenHoldings
  /** Default dialect and records. */
  readonly dialect?: string
  readonly records?: 'all' | 'events'
  /** Default filter and beginning. */
  readonly where?: string
  readonly start?: 'now'
  /** How long fewer entries than a batch wait for more. */
  readonly lingerMs?: number
  /** It stores the ledger's closed segments as they are: no filter, form or redaction can be said. */
  readonly segments?: 'closed'
  /** Default for one try, in seconds. */
  readonly timeoutS?: number
}

export interface SinkType {
  readonly type: string
  readonly about: string
  readonly options: z.ZodObject
  open(options: TypeOptions, opening: Opening): Opened
}

/** What every sink may say besides, as far as a type needs it. */
interface Common {
  readonly dialect?: string
  readonly name?: string
  readonly where?: string
}

/** Gives `open` the type of its options, which the schema has checked. */
export function sinkType<S extends z.ZodRawShape>(
  type: string,
  about: string,
  shape: S,
  open: (options: z.infer<z.ZodObject<S>> & Common, opening: Opening) => Opened,
): SinkType {
  return { type, about, options: z.object(shape), open: open as SinkType['open'] } // checked by the schema
}
