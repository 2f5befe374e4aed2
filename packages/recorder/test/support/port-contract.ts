/** What every port must do, whatever stands behind it. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { SwornError } from '@sworn/verify'
import type { Ack, Port } from '../../src/port/types.ts'
import { sample } from './submissions.ts'

export function acksOf(answers: readonly (Ack | SwornError)[]): readonly Ack[] {
  return answers.map((answer) => {
    if (SwornError.is(answer)) throw answer
    return answer
  })
}

/** @param activeFile what the ledger appends to, under a stable name */
export function portContract(name: string, activeFile: string, open: () => Promise<Port>): void {
  describe(`port contract: ${name}`, () => {
    let port: Port
    before(async () => {
      port = await open()
    })
    after(() => port.close())

    it('answers in call order, with seqs in that order and without gaps', async () => {
      const batches = await Promise.all([
        port.submit([sample(1), sample(2, 'batch')]),
        port.submit([sample(3, 'async')]),
        port.submit([sample(4)]),
      ])
      const seqs = acksOf(batches.flat()).map((ack) => ack.seq)
      assert.deepEqual(
        seqs,
        [0, 1, 2, 3].map((n) => n + seqs[0]!),
      )
    })

    it('says durable for a sync event', async () => {
      assert.equal(acksOf(await port.submit([sample(1, 'sync')]))[0]!.durable, true)
    })

    it('answers an event that is sent again with its first ack and appends nothing', async () => {
      const distances = new Set<number>()
      for (let n = 0; n < 3; n++) {
        const event = sample(1)
        const [first, again, next] = acksOf([
          ...(await port.submit([event])),
          ...(await port.submit([event])),
          ...(await port.submit([sample(2)])),
        ])
        assert.deepEqual([again!.seq, again!.entryHash], [first!.seq, first!.entryHash])
        distances.add(next!.seq - first!.seq)
      }
      assert.ok(distances.has(1), 'a checkpoint of the recorder stands between two of them at most once; a second copy always would')
    })

    it('refuses an event_id that comes back with another body, and only that one', async () => {
      const event = sample(1)
      await port.submit([event])
      const [conflict, fine] = await port.submit([{ ...event, json: sample(9).json }, sample(2)])
      assert.ok(SwornError.is(conflict, 'EVENT_ID_CONFLICT'))
      assert.ok(!SwornError.is(fine))
    })

    it('carries an event of 1 MiB and a batch of more than one commit holds', async () => {
      const large = sample(1, 'batch', { text: '"'.repeat(500_000) })
      const many = Array.from({ length: 5000 }, (_, n) => sample(n, 'batch'))
      assert.equal(acksOf(await port.submit([large, ...many])).length, 5001)
    })

    it('answers an empty batch with nothing', async () => {
      assert.deepEqual(await port.submit([]), [])
    })

    it('shares one counter between its callers', async () => {
      const step = { key: 'k', amount: 1, limit: 2, perMs: 3_600_000 }
      const steps = await Promise.all([1, 2, 3].map(() => port.reserve(step)))
      assert.deepEqual(
        steps.map((r) => r.granted),
        [true, true, false],
      )
    })

    it('resolves flush when everything is on disk, and blocks in flushSync until then', async () => {
      const answers = port.submit([sample(1, 'batch')])
      await port.flush()
      void port.submit([sample(2, 'batch')])
      assert.equal(port.flushSync(10_000), true)
      assert.equal(acksOf(await answers).length, 1)
    })

    it('reopens: a file that was renamed is left alone, and what follows goes under the stable name', async () => {
      const [before] = acksOf(await port.submit([sample(1, 'sync', { text: 'before-rename' })]))
      renameSync(activeFile, `${activeFile}.1`)
      await port.reopen()
      assert.equal(existsSync(activeFile), true)
      const [next] = acksOf(await port.submit([sample(2, 'sync', { text: 'after-rename' })]))
      assert.ok(next!.seq > before!.seq)
      const [old, fresh] = [readFileSync(`${activeFile}.1`, 'utf8'), readFileSync(activeFile, 'utf8')]
      assert.deepEqual([old.includes('before-rename'), old.includes('after-rename')], [true, false])
      assert.deepEqual([fresh.includes('before-rename'), fresh.includes('after-rename')], [false, true])
    })

    it('answers LEDGER_CLOSED after close, and closes twice without harm', async () => {
      await port.close()
      await port.close()
      assert.ok(SwornError.is((await port.submit([sample(1)]))[0], 'LEDGER_CLOSED'))
      await assert.rejects(port.reopen(), (e) => SwornError.is(e, 'LEDGER_CLOSED'))
    })
  })
}
