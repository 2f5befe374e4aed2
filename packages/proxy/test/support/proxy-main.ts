/**
 * The proxy as a process: `node proxy-main.ts CMD ARGS…`. Events go to the file named by EVENTS,
 * one JSON a line; a tool named in DENY (comma-separated) is denied.
 * @module
 */
import { appendFileSync } from 'node:fs'
import { runStdioProxy } from '../../src/index.ts'
import { denyingGate } from './gates.ts'

const [command = '', ...args] = process.argv.slice(2)
const { EVENTS, DENY } = process.env
let seq = 0

const { exitCode, signal } = await runStdioProxy({
  command,
  args,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  ...(DENY === undefined ? {} : { gate: denyingGate(DENY.split(',')) }),
  recorder: {
    async record(event) {
      if (EVENTS) appendFileSync(EVENTS, `${JSON.stringify(event)}\n`)
      return { seq: seq++, entry_hash: '0'.repeat(64), durable: true }
    },
  },
})
process.exit(signal === null ? (exitCode ?? 0) : 1)
