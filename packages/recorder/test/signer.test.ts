import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatCheckpoint, SwornError } from '@sworn/verify'
import { CRASH, faultyOps } from '../../../testkit/src/fault/faulty-ops.ts'
import { createPageCache, KEEP_ALL, KEEP_NOTHING } from '../../../testkit/src/fault/page-cache.ts'
import { createKeyFile, loadKeyFile, signNote } from '../src/signers/signer.ts'
import { advanceSigned } from '../src/signers/signer-state.ts'
import { createCase, findings, HOME, item, PATH, records, tickAll, verify } from './support/ledger-case.ts'

const code = (wanted: string) => (e: unknown) => SwornError.is(e) && e.code === wanted
const seed = (n: number) => new Uint8Array(32).fill(n)
const note = (size: number, root: number) =>
  signNote(formatCheckpoint({ origin: 'o', size, root: seed(root) }), [createKeyFile(createPageCache(), '/k', 'o', seed(1))])

describe('the high-water mark', () => {
  it('refuses a smaller size and another root, and keeps what it had', () => {
    const ops = createPageCache()
    advanceSigned(ops, '/signed', note(5, 1))
    advanceSigned(ops, '/signed', note(5, 1))
    assert.throws(() => advanceSigned(ops, '/signed', note(4, 1)), code('LEDGER_ROLLBACK'))
    assert.throws(() => advanceSigned(ops, '/signed', note(5, 2)), code('LEDGER_FORK'))
    assert.equal(ops.content('/signed')?.toString(), note(5, 1))
  })

  it('is on disk before the note is anywhere in the ledger, at every crash', () => {
    const steps = play(-1).steps
    for (let at = 0; at < steps; at += process.env.SWORN_TESTS === undefined ? 9 : 1) {
      const after = play(at).memory
      for (const choose of [KEEP_ALL, KEEP_NOTHING]) {
        const disk = after.crash(choose)
        const own = disk.paths().find((path) => path.endsWith('/signed') && path.startsWith(HOME))
        const published = sizeIn(disk.content(`${PATH}/checkpoint`))
        assert.ok(published <= sizeIn(own ? disk.content(own) : undefined), `step ${at}`)
      }
    }
  })

  function play(at: number) {
    const memory = createPageCache()
    const ops = faultyOps(memory, { at, fault: 'crash', code: CRASH })
    const disk = createCase()
    try {
      const ledger = disk.open({ fileOps: ops })
      ledger.append([item(1, 'sync')])
      disk.time += 1500
      tickAll(disk, ledger)
      ledger.close()
    } catch (e) {
      if (!(e instanceof Error)) throw e
    }
    return { memory, steps: ops.steps.length }
  }

  function sizeIn(text: Buffer | undefined): number {
    return Number(text?.toString().split('\n')[1] ?? 0) || 0
  }
})

describe('the file key', () => {
  it('comes back as it was made, and its file says nothing in an error', () => {
    const ops = createPageCache()
    const made = createKeyFile(ops, '/k', 'o', seed(7))
    assert.equal(loadKeyFile(ops, '/k', 'o').key.vkey, made.key.vkey)
    const fd = ops.open('/bad', 'append')
    ops.write(fd, Buffer.from('SECRET'))
    assert.throws(
      () => loadKeyFile(ops, '/bad', 'o'),
      (e) => SwornError.is(e, 'KEY_INVALID') && !String(e).includes('SECRET'),
    )
    assert.throws(() => loadKeyFile(ops, '/absent', 'o'), code('LEDGER_STATE_MISSING'))
  })
})

describe('a new key', () => {
  it('begins an epoch that the verifier follows from the first key; the old one is gone', async () => {
    const disk = createCase()
    const ledger = disk.open({ recordSignatures: 'all' })
    ledger.append([item(1, 'sync')])
    ledger.rotateKey()
    ledger.append([item(2, 'sync')])
    ledger.rotateKey()
    ledger.append([item(3, 'sync')])
    ledger.close()
    const report = await verify(disk.ops)
    assert.deepEqual(findings(report), [])
    assert.deepEqual([report.levels.signed.holds, report.levels.signed.epoch], [true, 2])
    const keys = disk.ops.readdir(`${HOME}/keys/${ledger.info.logId}`).filter((name) => name.endsWith('.pem'))
    assert.deepEqual(keys, ['2.pem'])
    disk.open().close()
    assert.deepEqual(findings(await verify(disk.ops)), [])
  })

  it('is finished after a crash at any step: one transition or none, never a fork', async () => {
    const steps = rotateAndCut(-1).steps
    for (let at = rotateAndCut(-1).before; at < steps; at += process.env.SWORN_TESTS === undefined ? 5 : 1) {
      for (const choose of [KEEP_ALL, KEEP_NOTHING]) {
        const disk = createCase('after', rotateAndCut(at).memory.crash(choose), Date.parse('2026-01-02T00:00:00Z'))
        const ledger = disk.open()
        ledger.append([item(9, 'sync')])
        ledger.close()
        assert.deepEqual(findings(await verify(disk.ops)), [], `step ${at}`)
        const transitions = records(disk.ops).filter((record) => record.event_type === 'log.key_transition').length
        const epochs = (await verify(disk.ops)).levels.signed.epoch
        assert.equal(epochs, transitions, `step ${at}`)
      }
    }
  })

  function rotateAndCut(at: number) {
    const memory = createPageCache()
    const ops = faultyOps(memory, { at, fault: 'crash', code: CRASH })
    const ledger = createCase().open({ fileOps: ops })
    ledger.append([item(1, 'sync')])
    const before = ops.steps.length
    try {
      ledger.rotateKey()
    } catch (e) {
      if (!(e instanceof Error)) throw e
    }
    return { memory, before, steps: ops.steps.length }
  }
})
