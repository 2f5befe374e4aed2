/**
 * The answers of a batch as a few numbers and one string: structured clone pays per object.
 *
 * Promise: `unpackAnswers(packAnswers(a))` equals `a`.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { fromPlain, type PlainError, toPlain } from './plain-error.ts'
import type { Ack } from './types.ts'

export interface PackedAnswers {
  readonly logId: string
  /** Of each answer; -1 where an error stands. */
  readonly seqs: readonly number[]
  /** 64 characters of each acknowledgement. */
  readonly hashes: string
  /** `1` where the event is on disk; one character an acknowledgement. */
  readonly durable: string
  readonly errors: readonly PlainError[]
}

const HASH_CHARS = 64

/** All acknowledgements of a batch come from one ledger. */
export function packAnswers(answers: readonly (Ack | SwornError)[]): PackedAnswers {
  const packed = { logId: '', seqs: [] as number[], hashes: '', durable: '', errors: [] as PlainError[] }
  for (const answer of answers) {
    if (SwornError.is(answer)) {
      packed.seqs.push(-1)
      packed.errors.push(toPlain(answer))
    } else {
      packed.logId = answer.logId
      packed.seqs.push(answer.seq)
      packed.hashes += answer.entryHash
      packed.durable += answer.durable ? '1' : '0'
    }
  }
  return packed
}

export function unpackAnswers({ logId, seqs, hashes, durable, errors }: PackedAnswers): (Ack | SwornError)[] {
  let acks = 0
  let failed = 0
  return seqs.map((seq) => {
    if (seq < 0) return fromPlain(errors[failed++]!)
    const n = acks++
    return { logId, seq, entryHash: hashes.slice(n * HASH_CHARS, (n + 1) * HASH_CHARS), durable: durable[n] === '1' }
  })
}
