/**
 * What is derived from a ledger and must forget what the ledger erases.
 *
 * The index is deleted: it comes back from the lines, which never held what was committed.
 * @module
 */
import type { LedgerFiles } from '@sworn/analyze/reading'

export interface DerivedStore {
  /** Said in log.erasure. */
  readonly name: string
  /** @throws the file system's error */
  forget(): Promise<void>
}

export interface Forgotten {
  readonly confirmed: readonly string[]
  readonly unconfirmed: readonly string[]
}

/** The stores that this version keeps beside a ledger. */
export function derivedStores({ directory }: LedgerFiles): readonly DerivedStore[] {
  if (directory === undefined) return []
  return [
    {
      name: 'index',
      async forget() {
        const { removeIndex } = await import('@sworn/analyze')
        removeIndex(directory)
      },
    },
  ]
}

/** Asks each; one that fails is named, and stops none of the others. */
export async function forgetIn(stores: readonly DerivedStore[]): Promise<Forgotten> {
  const confirmed: string[] = []
  const unconfirmed: string[] = []
  for (const store of stores) {
    try {
      await store.forget()
      confirmed.push(store.name)
    } catch {
      unconfirmed.push(store.name)
    }
  }
  return { confirmed, unconfirmed }
}
