/**
 * Where a ledger's lines lie and how their bytes are read, while they are written too. Nothing here is verified.
 *
 * Apart from the main export, because readers load none of the recorder.
 * @module
 */
export { createDecompressor, isCompressed, isDamage, openSegment, readEnd, readRange } from './bytes.ts'
export { findAgain, findLedger, type LedgerFiles, listSegments, type SegmentFile } from './find.ts'
export { createSplitter, type RawLine, readLedger, readLines } from './lines.ts'
export { createWaiter, type Waiter } from './waiter.ts'
