/** Approvals on a real ledger: one prompt limit for all, what was shown can be checked from the file, a crash is visible. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRecorder, openPort } from '@sworn/recorder'
import { findUnsettled, hashShown, type RecordedEvent } from '../src/approvals/index.ts'
import { ask, CALL, createHand, createRoom, isAsking, requestOf } from './support/approvals.ts'

async function withLedger(run: (path: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'approvals-'))
  try {
    await run(join(dir, 'audit'))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const open = (path: string) => openPort({ path, home: `${path}.home`, version: '0.1.0', patience: { greetMs: 60_000, ackMs: 60_000 } })

/** The entries in the order they were written. */
function linesOf(path: string): (RecordedEvent & { human_decision?: { shown_hash: string }; metadata?: { shown?: string } })[] {
  const files = globSync(join(path, '**', '*.jsonl')).toSorted()
  return files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean)).map((line) => JSON.parse(line))
}

test('two proxies on one ledger ask ten questions a minute between them, and cool down together', () =>
  withLedger(async (path) => {
    const ports = [await open(path), await open(path)]
    const rooms = ports.map(({ reserve }) => createRoom([createHand().channel], { reserve }).approvals)
    const outcomes: string[] = []
    for (let n = 0; n < 13; n++) {
      const begun = await rooms[n % 2]!.begin(requestOf({ n }))
      outcomes.push(isAsking(begun) ? 'asked' : begun.answer)
    }
    assert.deepEqual(outcomes, [...Array(10).fill('asked'), 'cooldown', 'cooldown', 'cooldown'])
    for (const room of rooms) await room.close()
    for (const port of ports.toReversed()) await port.close()
  }))

test('from the file alone: the shown text has the shown_hash of the decision, and no secret is in it', () =>
  withLedger(async (path) => {
    const port = await open(path)
    const recorder = createRecorder({ port })
    const hand = createHand()
    const { approvals, notes } = createRoom([hand.channel])
    const { requested, settlement } = await ask(approvals)
    await recorder.record(requested)
    hand.answer()
    hand.answer({ approved: false })
    const { members } = await settlement
    const { correlation_id } = requested
    await recorder.record({
      event_type: 'authorization_decision',
      decision: 'allow',
      correlation_id,
      reason_code: 'human_approved',
      ...members,
    })
    for (const note of notes) await recorder.record(note)
    await recorder.close()
    const lines = linesOf(path)
    const [shown, decision, late] = ['approval_requested', 'authorization_decision', 'approval_answered'].map(
      (type) => lines.find(({ event_type }) => event_type === type)!,
    )
    assert.equal(hashShown(shown!.metadata!.shown!), decision!.human_decision!.shown_hash)
    assert.ok(late)
    assert.ok(!JSON.stringify(lines).includes(CALL.token))
    assert.deepEqual(findUnsettled(lines, Date.now()), [])
  }))

test('a proxy that is killed while it waits leaves a question without a decision, and that is found', () =>
  withLedger(async (path) => {
    const child = spawn(
      process.execPath,
      [
        '--conditions=sworn-source',
        '--disable-warning=ExperimentalWarning',
        join(import.meta.dirname, 'support', 'waiting-child.ts'),
        path,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    const found = findUnsettled(linesOf(path), Date.now() + 120_000)
    assert.equal(found.length, 1)
    assert.partialDeepStrictEqual(found[0], { tool: 'write_file', session: 's-1', state: 'abandoned' })
    assert.match(found[0]!.says, /no decision followed/)
  }))
