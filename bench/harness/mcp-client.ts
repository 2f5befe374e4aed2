/**
 * An MCP client that costs nothing: frames by hand over a child's stdio, answers matched by id.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Command } from './commands.ts'

export interface McpClient {
  /** One call of `echo` that answers with `characters` characters; milliseconds until the answer is there. */
  call(characters: number): Promise<number>
  close(): Promise<void>
}

/** @throws Error when the server does not answer `initialize` with a result */
export async function openMcpClient({ command, args }: Command): Promise<McpClient> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
  let newest = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    const id = idOf(line)
    if (id === undefined) return
    if (/"(?:error|isError)":(?!false)/.test(line.slice(-400))) waiting.get(id)?.reject(new Error(`the call failed: ${line.slice(0, 400)}`))
    else waiting.get(id)?.resolve()
    waiting.delete(id)
  })
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the server ended with exit code ${code}`))
  })
  const request = (method: string, params: unknown): Promise<void> => {
    const id = ++newest
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return new Promise((resolve, reject) => void waiting.set(id, { resolve, reject }))
  }
  await request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } })
  child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
  return {
    async call(characters) {
      const start = performance.now()
      await request('tools/call', { name: 'echo', arguments: { characters, note: 'a call of the bench' } })
      return performance.now() - start
    },
    async close() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

/** The id of an answer: both SDK and proxy write it first or last, so both ends are looked at. */
function idOf(line: string): number | undefined {
  const match = /"id":(\d+)/.exec(line.slice(0, 60)) ?? /"id":(\d+)\}$/.exec(line.slice(-30))
  return match ? Number(match[1]) : undefined
}
