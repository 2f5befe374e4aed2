/** Checks logs. Pure: no Node, no DOM, no dependency. @module */

export type { WitnessPolicy } from './anchors.ts'
export { concat, equalBytes, parseBase64, parseHex, text, toBase64, toHex, utf8 } from './bytes.ts'
export type { Carried, CarryOptions, PartItem } from './carry.ts'
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
export { createEpochs, type Epoch, type EpochChain, formatTransition, parseTransition, type Transition } from './epochs.ts'
export { ERRORS, type ErrorCode, SwornError } from './errors.ts'
export { BROKEN_BY, FINDING_LEVEL, type Finding, type FindingClass, LEVELS, type LevelName } from './findings.ts'
export { createFrontier, type Frontier } from './frontier.ts'
export { asText, isJsonObject, type JsonObject, type JsonValue, parseStrict } from './json.ts'
export { COSIGNATURE, ED25519, formatVkey, parseVkey, type VerifierKey } from './keys.ts'
export {
  createSuffix,
  findSuffix,
  GENESIS,
  isStub,
  LABEL,
  type Line,
  linkLine,
  parseLine,
  type Suffix,
  signableText,
  withSignature,
} from './line.ts'
export { createLogCheck, type LogCheck, verifyLog } from './log.ts'
export {
  checkConsistency,
  checkInclusion,
  checkSubtree,
  emptyRoot,
  leafHash,
  nodeHash,
  rootFromConsistency,
  rootFromInclusion,
} from './merkle.ts'
export { cosignatureSeconds, formatNote, type Note, type NoteSignature, type OpenedNote, openNote, parseNote } from './note.ts'
export { checkPart, type Part, type PartOptions } from './part.ts'
export { type HashName, hashInto, type Primitives } from './primitives.ts'
export type { RecordSigner } from './record-signer.ts'
export { type AnchoredLevel, type CompleteLevel, firstBreak, type Level, type Report, reportVerdict, type SignedLevel } from './report.ts'
export type { NamedNote, VerifyOptions } from './run.ts'
export type { SessionCount, Stretch } from './sessions.ts'
export {
  flatLevelLengths,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  type ReadHashes,
  type TileLevel,
  tilePath,
  tileWidths,
} from './tiles.ts'
