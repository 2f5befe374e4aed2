/**
 * What a collector knows of one ledger: how far its mirror reaches, and what was signed of it.
 *
 * Plain data, so that a draft of it costs nothing and what is on disk is all there is. Written after the lines that it
 * counts are on disk, and before anybody is told: a crash in between leaves lines that nobody counts.
 * @module
 */
import { GENESIS, type HashName, isJsonObject, type JsonObject, type JsonValue, parseStrict, SwornError } from '@sworn/verify'

export interface MirrorState {
  /** Whose token began it: nobody else may continue it. */
  readonly producer: string
  readonly logId: string
  readonly origin: string
  readonly hash: HashName
  /** Who signs sizes greater than `after`; the first has -1. */
  readonly epochs: readonly { readonly vkey: string; readonly after: number }[]
  /** Signs key transitions in the place of the old key. */
  readonly identity?: string | undefined
  readonly size: number
  /** entry_hash of the last line, hex. */
  readonly head: string
  /** Subtrees of `size`, base64. */
  readonly frontier: readonly string[]
  /** The newest checkpoint that was checked: size, subtrees of it, note. */
  readonly signed?: { readonly size: number; readonly frontier: readonly string[]; readonly note: string } | undefined
  /** Behind log.close nothing follows. */
  readonly closed: boolean
}

export function beginState(producer: string, logId: string): MirrorState {
  const nothing = { size: 0, head: GENESIS, frontier: [], closed: false }
  return { producer, logId, origin: '', hash: 'sha256', epochs: [], ...nothing }
}

const FORMAT = 'sworn-mirror/v1'

/** @param beside what a store keeps with it */
export function formatState(state: MirrorState, beside: JsonObject = {}): string {
  return `${JSON.stringify({ format: FORMAT, ...state, ...beside })}\n`
}

/** The state, and all that was written with it. @throws SwornError IO_FAILED for what was not written here */
export function parseState(text: string, at: string): { readonly state: MirrorState; readonly all: JsonObject } {
  const value = tryParse(text)
  if (!isJsonObject(value) || value.format !== FORMAT || typeof value.size !== 'number' || typeof value.logId !== 'string')
    throw new SwornError('IO_FAILED', 'the state of a mirror was expected', at)
  const { format: _, ...state } = value
  return { state: state as unknown as MirrorState, all: value } // ours, where only we write
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return parseStrict(text.trimEnd())
  } catch {
    return undefined
  }
}
