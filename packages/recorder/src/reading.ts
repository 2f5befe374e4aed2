/**
 * What somebody needs who reads a ledger and records nothing: where this user's state lies, whether a recorder answers,
 * who delivers.
 *
 * Apart from the main export, because a verification loads none of the recorder.
 * @module
 */
export { findDirectories } from './config/directories.ts'
export { readTextFile } from './config/trust-store.ts'
export { isRecording } from './handover/answers.ts'
export { acquireAlerting, acquireDelivery } from './handover/delivery-lock.ts'
export { splitKeptNotes } from './ledger/kept-notes.ts'
export { startWorker } from './port/start-worker.ts'
