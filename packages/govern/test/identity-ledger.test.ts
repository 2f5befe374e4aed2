/** Tokens on a real ledger: two processes and one appender, before and after it is restarted. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRecorder, openPort } from '@sworn/recorder'
import { createIdentity, createPeriodicKeys, type Identity, nodeBinding, openKeyStore } from '../src/identity/index.ts'
import { FREE, identityPolicy, outcome } from './support/identity.ts'

async function open(dir: string): Promise<{ identity: Identity; close(): Promise<void> }> {
  const path = join(dir, 'audit')
  const port = await openPort({ path, home: join(dir, 'home'), version: '0.1.0' })
  const recorder = createRecorder({ port })
  const policy = identityPolicy(FREE)
  const keys = createPeriodicKeys(policy.identity!, openKeyStore(join(dir, 'keys'), path), Date.now)
  const record = async (event: Parameters<typeof recorder.record>[0]) => void (await recorder.record(event))
  const identity = createIdentity({ policy, keys, binding: nodeBinding('agent.yaml'), reserve: (step) => port.reserve(step), record })
  return { identity, close: () => recorder.close() }
}

test('a token counts once on one ledger, whoever asks, and never after another process took over', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'identity-'))
  try {
    const [first, second] = [await open(dir), await open(dir)]
    const session = await second.identity.openSession()
    const tokens = [await session.token({ fresh: true }), await session.token({ fresh: true }), await session.token({ fresh: true })]
    const answers = await Promise.all([first, second, first, second].map(({ identity }) => outcome(identity, tokens[0])))
    assert.deepEqual(answers.toSorted(), ['ok', 'replay_detected', 'replay_detected', 'replay_detected'])
    await first.identity.revoke({ target: { tokenId: tokens[1]!.id }, by: 'ops' })
    assert.equal(await outcome(second.identity, tokens[1]), 'token_revoked')
    await first.close()
    const third = await open(dir)
    for (const { identity } of [second, third]) {
      for (const token of tokens) assert.notEqual(await outcome(identity, token), 'ok')
      const fresh = await (await identity.openSession()).token()
      assert.deepEqual([await outcome(third.identity, fresh), await outcome(second.identity, fresh)], ['ok', 'replay_detected'])
    }
    await second.close()
    await third.close()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
