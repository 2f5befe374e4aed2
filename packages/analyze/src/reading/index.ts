/**
 * A ledger's lines and entries, which of them match, and following them as they are written: all that a reader asks
 * for who has no index, behind one door.
 *
 * Apart from the main export, because a verification loads no index. Nothing here is verified.
 * @module
 */
export {
  createDecompressor,
  createSplitter,
  findLedger,
  isCompressed,
  isDamage,
  type LedgerFiles,
  listSegments,
  openSegment,
  type RawLine,
  readEnd,
  readLedger,
  readLines,
  readRange,
  type SegmentFile,
} from '@sworn/recorder/segments'
export { SEVERITIES } from '../columns.ts'
export { createPredicate, createPrefilter, type Filter } from '../query/filter.ts'
export { describeEntry, durationText, type Entry, parseEntry, toText } from './entry.ts'
export { type FilePlace, followLedger } from './follow.ts'
export { type Newest, readNewest } from './newest.ts'
export { seekTime } from './seek.ts'
