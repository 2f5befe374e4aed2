/**
 * The proxy as a process: `node proxy-main.ts CMD ARGS…`, or an address in place of the command. Events go to the file named by EVENTS,
 * one JSON a line; a tool named in DENY (comma-separated) is denied.
 * @module
 */
import { appendFileSync } from 'node:fs'
import { runRemoteProxy } from '../../src/http/index.ts'
import { type ProxyOptions, runStdioProxy } from '../../src/index.ts'
import { denyingGate } from './gates.ts'

const [command = '', ...args] = process.argv.slice(2)
const { EVENTS, DENY } = process.env
let seq = 0

const options = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  ...(DENY === undefined ? {} : { gate: denyingGate(DENY.split(',')) }),
  recorder: {
    async record(event: Record<string, unknown>) {
      if (EVENTS) appendFileSync(EVENTS, `${JSON.stringify(event)}\n`)
      return { seq: seq++, entry_hash: '0'.repeat(64), durable: true }
    },
  },
} satisfies Omit<ProxyOptions, 'command'>
const { exitCode, signal } = await (command.startsWith('http:')
  ? runRemoteProxy({ ...options, upstream: new URL(command) })
  : runStdioProxy({ ...options, command, args }))
process.exit(signal === null ? (exitCode ?? 0) : 1)
