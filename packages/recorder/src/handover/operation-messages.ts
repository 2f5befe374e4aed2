/**
 * The steps of an operator on the data socket, and what came of them. Everything parsed here is hostile.
 * @module
 */
import { isAbsolute } from 'node:path'
import type { Done, Operation } from '../ledger/operate.ts'

/** As `sworn erase` takes them. */
const MAX_TEXT = 1024
const MAX_PATH = 4096
const MAX_STORES = 64

/** @returns undefined for what is no operation */
export function parseOperation(value: unknown): Operation | undefined {
  if (!isObject(value)) return undefined
  if (value.kind === 'erase') return parseErase(value)
  if (value.kind === 'prune') return parsePrune(value)
  const { kind, form } = value
  return kind === 'pack' && (form === 'gzip' || form === 'zstd') ? { kind, form } : undefined
}

function parseErase({ subject, basis, requestId, actor, confirmed = [], unconfirmed = [] }: Members): Operation | undefined {
  if (!isText(subject) || !isText(basis) || !isText(requestId) || !isText(actor)) return undefined
  if (!isTexts(confirmed) || !isTexts(unconfirmed)) return undefined
  return { kind: 'erase', subject, basis, requestId, actor, confirmed, unconfirmed }
}

function parsePrune({ upTo, policy, archivedTo, unanchored }: Members): Operation | undefined {
  if (!isCount(upTo) || !isText(policy) || typeof unanchored !== 'boolean') return undefined
  if (archivedTo === undefined) return { kind: 'prune', upTo, policy, unanchored }
  // A relative one would lead elsewhere in the process that records.
  if (typeof archivedTo !== 'string' || archivedTo.length > MAX_PATH || !isAbsolute(archivedTo)) return undefined
  return { kind: 'prune', upTo, policy, archivedTo, unanchored }
}

/** The recorder is ours or an impostor of the same user: the shape is checked, the content is not. */
export function isDone(value: unknown): value is Done {
  if (!isObject(value)) return false
  const { erasure, prunedAt = 0, packed = 0 } = value
  return isCount(prunedAt) && isCount(packed) && (erasure === undefined || isErasure(erasure))
}

function isErasure(value: unknown): boolean {
  if (!isObject(value) || !isObject(value.inClear)) return false
  const { targets, recorded, rows, quarantined, key, targetCount, inClear } = value
  return (
    Array.isArray(targets) &&
    targets.every((target) => isObject(target) && Number.isSafeInteger(target.seq) && typeof target.pointer === 'string') &&
    [rows, quarantined, targetCount, inClear.records].every(isCount) &&
    [recorded, inClear.first].every((seqs) => Array.isArray(seqs) && seqs.every(Number.isSafeInteger)) && // -1: a line without one
    typeof key === 'boolean'
  )
}

type Members = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MAX_STORES && value.every(isText)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
