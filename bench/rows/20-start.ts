/**
 * Row 20: how long a command takes to start.
 *
 * The proxy's time is that of a whole session: start of the proxy and of the server behind it, `initialize`
 * answered, and both ended. Its rival is the same session with that server alone plus `node -e 0`.
 * @module
 */
import { join } from 'node:path'
import { timeCommands } from '../harness/commands.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { stagePackages } from '../harness/staged.ts'
import { withWorkdir } from '../harness/workdir.ts'

export const start: Row = {
  row: 20,
  job: 'start of `sworn --help`; of the proxy to its first byte',
  against: '`node -e 0`',
  target: '≤ 2 ×; ≤ 3 ×',
  run: (quick) => withWorkdir((dir) => measure(dir, quick ? 1 : 15)),
}

async function measure(dir: string, rounds: number): Promise<readonly Measurement[]> {
  const main = join(stagePackages(dir), 'dist', 'bin.js')
  const node = process.execPath
  const times = timeCommands({ help: { command: node, args: [main, '--help'] }, bare: { command: node, args: ['-e', '0'] } }, rounds)
  return [compare({ what: '`sworn --help`, ms', against: '`node -e 0`', ours: times.help, rival: times.bare, bound: { atMost: 2 } })]
}
