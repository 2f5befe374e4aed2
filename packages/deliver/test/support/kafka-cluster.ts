/** librdkafka's mock cluster of one broker, in a process of kcat's. @module */
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { endWithTests } from '../../../../testkit/src/children.ts'

export const NO_KCAT =
  spawnSync('kcat', ['-V']).status === 0 ? false : 'NO KCAT (Debian: kcat): the Kafka sink was not tested against a cluster'

/** Until the tests end. @returns HOST:PORT, which kcat says on stderr */
export async function startCluster(): Promise<string> {
  const args = ['-b', 'x', '-X', 'test.mock.num.brokers=1', '-d', 'mock', '-C', '-t', 'unused']
  const child = endWithTests(spawn('kcat', args, { stdio: ['ignore', 'ignore', 'pipe'] }))
  for await (const line of createInterface(child.stderr)) {
    const address = /replaced with (\S+)/.exec(line)?.[1] ?? /bootstrap\.servers=(\S+)/.exec(line)?.[1]
    if (address === undefined) continue
    child.stderr.resume()
    return address
  }
  throw new Error('kcat gave no address')
}
