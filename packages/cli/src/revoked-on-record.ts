/**
 * Whether a ledger says that the tokens of a session do not count any more. Asked when another process took over the
 * ledger: its counters do not know our sessions, its records do.
 * @module
 */

/** A revocation that was only told, over HTTP or by an import, is a claim and revokes nothing. */
export async function isRevokedOnRecord(ledger: string, sessionId: string): Promise<boolean> {
  const { findLedger, parseEntry, readLedger } = await import('@sworn/analyze/reading')
  for await (const line of readLedger(findLedger(ledger, ''))) {
    const entry = line.bytes.includes('identity_token_revoked') ? parseEntry(line) : undefined
    if (entry?.event_type === 'identity_token_revoked' && entry.session_id === sessionId && !isReported(entry.source)) return true
  }
  return false
}

function isReported(source: unknown): boolean {
  return typeof source === 'object' && source !== null && 'vantage' in source && source.vantage === 'reported'
}
