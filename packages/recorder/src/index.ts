/** Makes records. @module */

export { asText, ERRORS, type ErrorCode, parseStrict, SwornError } from '@sworn/verify'
export {
  EVENT_GROUPS,
  EVENT_TYPES,
  type EventType,
  REASON_CODES,
  RESERVED_MEMBERS,
  type ReasonCode,
  SEVERITIES,
  type Severity,
} from '@sworn/verify/events'
export * from './config/index.ts'
export { levelOf } from './event/durability.ts'
export { createFilter, type EventFilter, type FilterOptions } from './event/filter.ts'
export { createIds } from './event/ids.ts'
export { type JsonValue, type Sanitized, sanitize } from './event/sanitize.ts'
export { type ShapedEvent, shapeEvent } from './event/shape.ts'
export type * from './event/types.ts'
export { type Charged, chargeOutcome } from './guard/charge.ts'
export { budgetMembers, dlpEvent, membersOf, outcomeEvent } from './guard/events.ts'
export { type ActionMatch, type Begun, createGuard, type Guard, type GuardOptions, type GuardRecorder } from './guard/guard.ts'
export type * from './guard/types.ts'
export { isRecording } from './handover/answers.ts'
export type { Door } from './handover/door.ts'
export { type OpenPortOptions, openPort } from './handover/open-port.ts'
export { openPortHere } from './handover/open-port-here.ts'
export type { ScannerName } from './ledger/core.ts'
export { findKnownLedger } from './ledger/known.ts'
export { type Item, type Ledger, type LedgerOptions, openLedger } from './ledger/ledger.ts'
export type { Done, ErasureDone, Operation } from './ledger/operate.ts'
export { adopt, previousLog } from './ledger/operator.ts'
export type { PackForm } from './ledger/pack.ts'
export { createReservations } from './ledger/reserve.ts'
export { createLocalPort, type LocalPortOptions } from './port/local.ts'
export { startWorker } from './port/start-worker.ts'
export type * from './port/types.ts'
export type { WorkerPort } from './port/worker.ts'
export type * from './recorder/answer.ts'
export type { EventBuilder } from './recorder/builder.ts'
export { createRecorder } from './recorder/recorder.ts'
export type { Histogram, RecorderStats } from './recorder/stats.ts'
export type * from './recorder/types.ts'
export { keyedHash } from './redact/keyed-hash.ts'
export type { Literal } from './redact/literals.ts'
export { maskText } from './redact/mask.ts'
export { followedBy, followedWithin, hasUserInfo } from './redact/near.ts'
export { PATTERNS as tablePatterns, type Pattern, passesLuhn } from './redact/patterns.ts'
export { createRedactor, type RedactOptions, type Redactor } from './redact/redactor.ts'
export { createScanner, type ScannerOptions, tableDetector, toDetector } from './redact/scanner.ts'
export {
  type Detector,
  markerOf,
  type PathAction,
  type Redacted,
  type Scanner,
  type ScannerSource,
  type Span,
  type Vault,
} from './redact/types.ts'
export { createKeyRules, DEFAULT_KEYS, splitWords } from './redact/words.ts'
export { openSoonerOrLater, type SoonerOrLater } from './spool/later.ts'
export { handOverLeftovers, type LeftoverOptions, ownSpoolPath, spoolDirectory } from './spool/leftovers.ts'
export { type RecordingPort, type SpoolingPort, type SpoolLoss, type SpoolOptions, withSpool } from './spool/port.ts'
export { createDisclosure, digestOf, readDisclosure } from './vault/disclosure.ts'
export { type Erasure, type ErasurePlan, type ErasureRequest, type ErasureTarget, planErasure } from './vault/erase.ts'
export { findDisclosures } from './vault/find-disclosures.ts'
export { createVault, type VaultOptions } from './vault/vault.ts'
