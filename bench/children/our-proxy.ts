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

/** A policy of the usual size: two tools, a rule on an argument, two patterns for masking. */
const POLICY = `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata:
  name: bench
spec:
  mode: enforce
  allowed_tools: [echo, read_file]
  tool_rules:
    - tool: read_file
      allow_args:
        path: "^/srv/.*"
  protected_paths: [/etc/shadow]
  dlp:
    enabled: true
    patterns:
      - name: AWS key
        regex: "AKIA[0-9A-Z]{16}"
      - name: Internal number
        regex: "INT-[0-9]{8}"
`

const [dir, recordMode, command, ...args] = process.argv.slice(2)
const port = await openPortHere({ path: `${dir}/ledger`, home: `${dir}/home` })
const recorder = recorderOn(port, {})
const gate = createGate({ policy: loadPolicy({ text: POLICY, name: 'bench policy' }), reserve: (step) => port.reserve(step) })
const { stdin, stdout, stderr } = process
const mode = recordMode === 'before' ? 'before' : 'batch'
const { exitCode } = await runStdioProxy({ command: command!, args, stdin, stdout, stderr, gate, recorder, recordMode: mode })
await recorder.close()
process.exitCode = exitCode ?? 1
