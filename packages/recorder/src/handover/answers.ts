/**
 * Whether somebody records a ledger right now, asked as another recorder would: by its data socket.
 * @module
 */
import { meet } from './contact.ts'
import { findPlaces, nodePlatform } from './platform.ts'

const PATIENCE_MS = 500

/**
 * True when a recorder of the ledger answers, or one of another user does not let us in.
 *
 * @param directory the ledger's directory, in file mode `<file>.ledger`; it exists
 */
export async function isRecording(directory: string): Promise<boolean> {
  const contact = await meet(findPlaces(directory, nodePlatform()).dataAddress, PATIENCE_MS)
  if (contact.kind === 'met') contact.line.socket.destroy()
  return contact.kind === 'met' || contact.kind === 'forbidden'
}
