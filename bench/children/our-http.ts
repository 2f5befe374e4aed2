/**
 * Our HTTP proxy as row 12 measures it: a policy with rules and masking, a ledger of its own. Says its address.
 *
 * Arguments: folder for ledger and home, address of the server.
 * @module
 */
import { createGate } from '@sworn/govern'
import { loadPolicy } from '@sworn/govern/policy'
import { openHttpProxy } from '@sworn/proxy/http'
import { openPortHere } from '@sworn/recorder'
import { recorderOn } from '../candidates/sworn.ts'
import { POLICY } from '../harness/policy.ts'

const [dir, url] = process.argv.slice(2)
const port = await openPortHere({ path: `${dir}/ledger`, home: `${dir}/home` })
const recorder = recorderOn(port, {})
const gate = createGate({ policy: loadPolicy({ text: POLICY, name: 'bench policy' }), reserve: (step) => port.reserve(step) })
const proxy = await openHttpProxy({
  upstream: new URL(url!),
  listen: { host: '127.0.0.1', port: 0 },
  stderr: process.stderr,
  gate,
  recorder,
  recordMode: 'batch',
})
process.stdout.write(`${proxy.url}\n`)
process.stdin.resume().on('end', async () => {
  await proxy.close()
  await recorder.close()
  process.exit()
})
