/** How much a submission takes, rows for the vault included. @module */
import type { Submission } from './types.ts'

/** Characters of its rows; they are ASCII. */
export function rowChars({ vault }: Pick<Submission, 'vault'>): number {
  return vault === undefined ? 0 : vault.reduce((sum, row) => sum + row.length, 0)
}
