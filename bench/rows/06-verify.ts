/**
 * Row 6: verifying a ledger of a million entries, 1 GB and more: chain, tree, checkpoint signatures.
 *
 * Whole processes, from start to end, the files in the page cache. `sha256sum` and `openssl dgst` read the same
 * bytes and check nothing; that they are beaten at all comes from hashing the lines as they were written.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { VerifyTask } from '../children/verify.ts'
import { writeBenchLog } from '../harness/bench-log.ts'
import { NODE_FLAGS } from '../harness/child.ts'
import { timeCommands } from '../harness/commands.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { stagePackages } from '../harness/staged.ts'
import { withWorkdir } from '../harness/workdir.ts'

export const verify: Row = {
  row: 6,
  job: 'verify a 1 GB ledger, 10^6 entries: chain, tree, checkpoints',
  against: 'coreutils sha256sum and openssl dgst -sha256 of the same files',
  target: 'two threads ≤ 0.6 × sha256sum and ≤ 2 × openssl; one thread ≤ 1 × sha256sum',
  run: (quick) => withWorkdir((dir) => measure(dir, quick ? 50 : 1_000_000, quick ? 1 : 3)),
}

async function measure(dir: string, entries: number, rounds: number): Promise<readonly Measurement[]> {
  mkdirSync(join(dir, 'segments'))
  const { files, vkey, bytes } = writeBenchLog(join(dir, 'segments'), entries, 6)
  const command = join(await stagePackages(dir), 'dist', 'bin.js')
  const child = (name: string): string => fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url))
  const task = JSON.stringify({ files, vkey } satisfies VerifyTask)
  const times = timeCommands(
    {
      oneThread: { command: process.execPath, args: [...NODE_FLAGS, child('verify'), task] },
      twoThreads: { command: process.execPath, args: [command, 'verify', dir, '--key', vkey, '--require', 'signed'] },
      sha256sum: { command: 'sha256sum', args: files },
      openssl: { command: 'openssl', args: ['dgst', '-sha256', ...files] },
    },
    rounds,
  )
  const note = `${(bytes / 1e9).toFixed(2)} GB in ${files.length} segments; verifyLog alone, started from TypeScript`
  const product = 'the command `sworn verify` as it is published, which takes two threads where there are two processors'
  const two = times.twoThreads
  return [
    compare({ what: 'one thread, ms', against: 'sha256sum', ours: times.oneThread, rival: times.sha256sum, bound: { atMost: 1 }, note }),
    compare({ what: 'two threads, ms', against: 'sha256sum', ours: two, rival: times.sha256sum, bound: { atMost: 0.6 }, note: product }),
    compare({ what: 'two threads, ms', against: 'openssl dgst', ours: two, rival: times.openssl, bound: { atMost: 2 } }),
  ]
}
