/** The library face of sworn: record what an agent does, and ask what was recorded. Loads nothing of the command line. @module */

export type { EntryFilter, EntryQuery, Ledger, LedgerOptions, QueryResult } from '@sworn/analyze'
export type { Recorder } from '@sworn/recorder'
export { SwornError } from '@sworn/verify'
export { openLedger, openRecorder } from './library.ts'
export type { OpenOptions } from './open-recorder.ts'
