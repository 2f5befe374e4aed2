/**
 * Lines that are no entries: each is named where it stands, and the command ends with 1.
 * @module
 */
import type { RawLine } from '@sworn/analyze/reading'
import { ERRORS } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import { escapeText } from '../text/escape.ts'

export interface UnreadableLines {
  readonly count: number
  readonly tell: (line: Pick<RawLine, 'file' | 'number'>) => void
  /** Says what to do about them, when there were any. */
  hint(): void
}

export function createUnreadable(io: Io): UnreadableLines {
  let count = 0
  return {
    get count() {
      return count
    },
    tell({ file, number }) {
      count++
      io.err(escapeText(`error: LINE_MALFORMED not an entry (at ${file}:${number})`))
    },
    hint() {
      if (count > 0) io.err(`hint: ${ERRORS.LINE_MALFORMED}`)
    },
  }
}
