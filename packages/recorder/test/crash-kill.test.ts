import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseVkey, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { endWithTests } from '../../../testkit/src/children.ts'
import { openLedger } from '../src/ledger/ledger.ts'
import { findings } from './support/ledger-case.ts'
import { temporaryDirectory } from './support/temporary.ts'

const mode = process.env.SWORN_TESTS
const RUNS = mode === 'full' ? 200 : mode === 'ci' ? 8 : 3
const child = fileURLToPath(new URL('./support/ledger-child.ts', import.meta.url))

describe('kill -9 under load', () => {
  it(`loses nothing that was acknowledged as durable (${RUNS} kills on one ledger)`, async () => {
    const directory = temporaryDirectory()
    const [path, home] = [join(directory, 'audit'), join(directory, 'home')]
    const acked = new Map<number, string>()
    for (let run = 0; run < RUNS; run++) {
      const before = acked.size
      await killAfter(path, home, run * 100_000, 1 + ((run * 7919) % 2000), acked)
      assert.ok(acked.size > before, `run ${run} acknowledged nothing`)
    }
    const ledger = openLedger({ path, home, rotateBytes: 40_000 })
    for (const [seq, entryHash] of acked) assert.ok(ledger.holds(seq, entryHash), `seq ${seq}`)
    ledger.close()
    const report = await verifyDirectory(path)
    assert.deepEqual(findings(report), [])
    assert.equal(report.levels.signed.holds, true)
  })
})

/** Kills as soon as `bytes` of acknowledgements came: a different place in the child's loop each time. */
function killAfter(path: string, home: string, first: number, bytes: number, acked: Map<number, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ['--conditions=sworn-source', child, path, home, String(first)]
    const running = endWithTests(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
    let out = ''
    let err = ''
    running.stderr.on('data', (chunk) => {
      err += chunk
    })
    running.stdout.on('data', (chunk) => {
      out += chunk
      if (out.length >= bytes) running.kill('SIGKILL')
    })
    running.on('close', (_code, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`the child ended by itself: ${err}`))
      for (const line of out.split('\n').slice(0, -1)) acked.set(Number(line.split(' ')[0]), line.split(' ')[1] ?? '')
      resolve()
    })
  })
}

function verifyDirectory(path: string) {
  const names = readdirSync(join(path, 'segments'))
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted()
  const files = names.map((name) => new Uint8Array(readFileSync(join(path, 'segments', name))))
  const opening = JSON.parse(readFileSync(join(path, 'reserved.jsonl'), 'utf8').split('\n')[0] ?? '')
  return verifyLog(files, {
    primitives: nodePrimitives,
    trust: parseVkey(opening.vkey),
    checkpoints: [readFileSync(join(path, 'checkpoint'), 'utf8')],
  })
}
