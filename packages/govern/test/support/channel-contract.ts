/** What every channel must do. A new channel adds one call to this and nothing else. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Channel, Question } from '../../src/approvals/index.ts'
import { ask, createHand, createRoom } from './approvals.ts'

/** The person, the program or the network at the other end. */
export interface ChannelDriver {
  readonly channel: Channel
  /** Resolves when the question is there, and its answer is on its way. A question that is gone cannot be answered: that is fine. */
  answer(question: Question, approved: boolean): Promise<void>
  /** An approval arrives that is for another question, or for other bytes. */
  answerForAnother(question: Question): Promise<void>
  /** The way to the person breaks. */
  break(question: Question): Promise<void>
  /** Resolves when the question can be seen. */
  shown(question: Question): Promise<void>
  /** Processes, listeners, requests and prompts that are left. */
  leftovers(): number
  close(): Promise<void>
}

export function channelContract(name: string, open: () => Promise<ChannelDriver>): void {
  const situation = (title: string, run: (driver: ChannelDriver) => Promise<void>) =>
    test(title, async () => {
      const driver = await open()
      try {
        await run(driver)
        assert.equal(driver.leftovers(), 0, 'nothing is left')
      } finally {
        await driver.close()
      }
    })

  describe(`channel contract: ${name}`, () => {
    for (const [approved, outcome] of [
      [true, 'approved'],
      [false, 'denied'],
    ] as const) {
      situation(`an answer settles the question: ${outcome}`, async (driver) => {
        const { approvals } = createRoom([driver.channel])
        const { question, settlement } = await ask(approvals)
        await driver.answer(question, approved)
        const { answer, members } = await settlement
        assert.equal(answer, outcome)
        const { channel, shown_hash, approved: said } = members.human_decision!
        assert.deepEqual([channel, shown_hash, said], [driver.channel.name, question.shownHash, approved])
        await approvals.close()
      })
    }

    situation('a question that another channel settled is withdrawn', async (driver) => {
      const hand = createHand()
      const { approvals } = createRoom([driver.channel, hand.channel])
      const { question, settlement } = await ask(approvals)
      await driver.shown(question)
      hand.answer({ approved: false })
      await approvals.close()
      assert.equal((await settlement).answer, 'denied')
    })

    situation('a channel that breaks leaves the question to the others', async (driver) => {
      const hand = createHand()
      const { approvals } = createRoom([driver.channel, hand.channel])
      const { question, settlement } = await ask(approvals)
      await driver.shown(question)
      await driver.break(question)
      hand.answer()
      assert.equal((await settlement).answer, 'approved')
      await approvals.close()
    })

    situation('a channel that breaks and was the only one denies as unavailable', async (driver) => {
      const { approvals } = createRoom([driver.channel])
      const { question, settlement } = await ask(approvals)
      await driver.shown(question)
      await driver.break(question)
      assert.equal((await settlement).answer, 'unavailable')
      await approvals.close()
    })

    situation('a channel that hangs ends with the time limit', async (driver) => {
      const { approvals, time } = createRoom([driver.channel])
      const { question, settlement } = await ask(approvals)
      await driver.shown(question)
      time.pass(60_000)
      assert.equal((await settlement).answer, 'timeout')
      await approvals.close()
    })

    situation('a second answer changes nothing', async (driver) => {
      const { approvals, notes } = createRoom([driver.channel])
      const { question, settlement } = await ask(approvals)
      await driver.answer(question, false)
      assert.equal((await settlement).answer, 'denied')
      await driver.answer(question, true)
      await approvals.close()
      assert.equal((await settlement).answer, 'denied')
      assert.ok(notes.every(({ reason_code }) => reason_code === 'approval_late'))
    })

    situation('an answer for another question or other bytes never approves', async (driver) => {
      const { approvals, time } = createRoom([driver.channel])
      const { question, settlement } = await ask(approvals)
      await driver.shown(question)
      await driver.answerForAnother(question)
      time.pass(60_000)
      assert.notEqual((await settlement).answer, 'approved')
      await approvals.close()
    })
  })
}
