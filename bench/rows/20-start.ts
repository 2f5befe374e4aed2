/**
 * Row 20: how long a command takes to start.
 *
 * The packages are staged as JavaScript, as users get them. The proxy's time is from its start to the first
 * byte that it passes on, with a new ledger; the server behind it is a shell that answers `initialize` at once.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { timeCommands } from '../harness/commands.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { stagePackages } from '../harness/staged.ts'
import { withWorkdir } from '../harness/workdir.ts'

const INITIALIZE =
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}\n'
const RESULT =
  '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"shell","version":"1"}}}'
const SERVER = ['sh', '-c', `read line; echo '${RESULT}'; cat >/dev/null`]

export const start: Row = {
  row: 20,
  job: 'start of `sworn --help`; of the proxy to its first byte',
  against: '`node -e 0`',
  target: '≤ 2 ×; ≤ 3 ×',
  run: (quick) => withWorkdir((dir) => measure(dir, quick ? 1 : 15)),
}

async function measure(dir: string, rounds: number): Promise<readonly Measurement[]> {
  const main = join(await stagePackages(dir), 'dist', 'bin.js')
  const node = process.execPath
  const bare = { command: node, args: ['-e', '0'] }
  const help = timeCommands({ ours: { command: node, args: [main, '--help'] }, bare }, rounds)
  const proxy: { ours: number[]; rival: number[] } = { ours: [], rival: [] }
  for (let round = 0; round < rounds; round++) {
    proxy.ours.push(await firstByteMs(main, mkdtempSync(join(dir, 'start-'))))
    proxy.rival.push(...timeCommands({ bare }, 1).bare)
  }
  const against = '`node -e 0`'
  return [
    compare({ what: '`sworn --help`, ms', against, ours: help.ours, rival: help.bare, bound: { atMost: 2 } }),
    compare({ what: '`sworn proxy` to its first byte, ms', against, ...proxy, bound: { atMost: 3 } }),
  ]
}

/** @throws Error when the proxy ends without passing on a byte */
async function firstByteMs(main: string, dir: string): Promise<number> {
  const env = { PATH: process.env.PATH, HOME: dir, SWORN_HOME: join(dir, 'home') }
  const begin = performance.now()
  const args = [main, 'proxy', '--audit-log', join(dir, 'audit'), '--', ...SERVER]
  const child = spawn(process.execPath, args, { cwd: dir, env, stdio: ['pipe', 'pipe', 'pipe'] })
  const told: Buffer[] = []
  child.stderr.on('data', (bytes: Buffer) => void told.push(bytes))
  child.stdin.write(INITIALIZE)
  const ended = once(child, 'exit')
  const passed = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)])
  const ms = performance.now() - begin
  child.stdin.end()
  await ended
  if (!passed) throw new Error(`the proxy passed nothing on: ${Buffer.concat(told).toString().slice(-500)}`)
  return ms
}
