/**
 * Our proxy as rows 10 and 11 measure it: a policy with rules and masking, a ledger of its own.
 *
 * Arguments: folder for ledger and home, `before` or `batch`, the server's command and its arguments.
 * @module
 */
import { createGate } from '@sworn/govern'
import { loadPolicy } from '@sworn/govern/policy'
import { runStdioProxy } from '@sworn/proxy'
import { openPortHere } from '@sworn/recorder'
import { recorderOn } from '../candidates/sworn.ts'
import { POLICY } from '../harness/policy.ts'

const [dir, recordMode, command, ...args] = process.argv.slice(2)
const port = await openPortHere({ path: `${dir}/ledger`, home: `${dir}/home` })
const recorder = recorderOn(port, {})
const gate = createGate({ policy: loadPolicy({ text: POLICY, name: 'bench policy' }), reserve: (step) => port.reserve(step) })
const { stdin, stdout, stderr } = process
const mode = recordMode === 'before' ? 'before' : 'batch'
const { exitCode } = await runStdioProxy({ command: command!, args, stdin, stdout, stderr, gate, recorder, recordMode: mode })
await recorder.close()
process.exitCode = exitCode ?? 1
