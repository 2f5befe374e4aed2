/** A session's tokens are revoked by who governs them, not by whoever may report events. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { isRevokedOnRecord } from '../src/revoked-on-record.ts'
import { sworn, temporary } from './support/io.ts'

test('a revocation that was only told revokes nothing; one of the ledger does', async () => {
  const at = { cwd: temporary(), home: temporary() }
  const revoked = (session: string, more: object = {}) => ({ event_type: 'identity_token_revoked', session_id: session, ...more })
  const told = revoked('s-told', { source: { kind: 'sdk', vantage: 'reported' } })
  const stdin = [told, revoked('s-own'), { event_type: 'note', session_id: 's-other', reason: 'identity_token_revoked' }]
  assert.equal((await sworn(['record'], { ...at, stdin: stdin.map((event) => JSON.stringify(event)).join('\n') })).code, 0)
  const ledger = join(at.cwd, 'audit')
  const found = await Promise.all(['s-told', 's-own', 's-other'].map((session) => isRevokedOnRecord(ledger, session)))
  assert.deepEqual(found, [false, true, false])
})
