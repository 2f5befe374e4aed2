/**
 * A server without an SDK for tests of the wire: it answers what it understands and appends every
 * line it received to the file named by SEEN, before it answers.
 * @module
 */
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const say = (value: unknown) => process.stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`)
const text = (words: unknown) => ({ content: [{ type: 'text', text: String(words) }] })

interface Message {
  id?: string | number
  method?: string
  params?: { name?: string; arguments?: Record<string, unknown>; requestId?: string | number }
}

const TOOLS: Record<string, (id: string | number, input: Record<string, unknown>) => void> = {
  echo: (id, { words }) => say({ jsonrpc: '2.0', id, result: text(words) }),
  raw: (_id, { line }) => say(String(line)),
  fail: (id) => say({ jsonrpc: '2.0', id, error: { code: -32050, message: 'it failed', data: { key: 'AKIA-SECRET' } } }),
  ask: (id) => {
    say({ jsonrpc: '2.0', id: 's1', method: 'roots/list' })
    say({ jsonrpc: '2.0', id, result: text('asked') })
  },
  hang: () => {},
  die: () => process.exit(7),
  crash: () => process.kill(process.pid, 'SIGKILL'),
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (process.env.SEEN) appendFileSync(process.env.SEEN, `${line}\n`)
  const { id, method, params } = JSON.parse(line) as Message
  if (id === undefined || method === undefined) return
  if (method === 'initialize')
    say({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'echo', version: '1.2.3' } } })
  else if (method === 'tools/call' || (method === 'prompts/get' && params?.name !== undefined))
    TOOLS[params?.name ?? '']?.(id, params?.arguments ?? {})
  else say({ jsonrpc: '2.0', id, result: {} })
})
process.stderr.write('echo: ready\n')
