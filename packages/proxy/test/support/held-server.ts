/**
 * A stdio server of the 2025 era that answers calls when it is told to: `notifications/go`. `notifications/tell` makes it
 * say `params.data`. It says what it begins, and what was cancelled.
 * @module
 */
import { createInterface } from 'node:readline'

const held: unknown[] = []
const send = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const say = (data: string) => send({ method: 'notifications/message', params: { level: 'info', data } })

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (method === 'initialize')
    send({
      id,
      result: {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {}, logging: {} },
        serverInfo: { name: 'held', version: '1' },
      },
    })
  else if (method === 'tools/call') {
    held.push(id)
    if (params.name === 'loud') say('begun')
  } else if (method === 'notifications/go') {
    say('going')
    for (const each of held.splice(0)) send({ id: each, result: { content: [{ type: 'text', text: 'done' }] } })
  } else if (method === 'notifications/tell') say(params.data)
  else if (method === 'notifications/cancelled') say('cancelled')
  else if (id !== undefined) send({ id, result: {} })
})
