/** A client of `sworn proxy` over stdio, in front of the demo server: real processes. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Place, type Started, SWORN, startProcess } from './process.ts'

const SERVER = fileURLToPath(new URL('../../src/demo/server.ts', import.meta.url))

// biome-ignore lint/suspicious/noExplicitAny: what a server answers has any shape; tests assert it
export type Answer = any

export interface Client {
  readonly started: Started
  /** Resolves with the answer. */
  ask(method: string, params?: object): Promise<Answer>
  /** What stderr has said so far. */
  said(): string
  /** Ends the client's side; resolves when the proxy has ended. */
  end(): Promise<void>
}

/** The command of the demo server, which serves `files` of the place. */
export function demoServer({ cwd }: Place): readonly string[] {
  const [node = '', ...own] = SWORN.slice(0, -1)
  return [node, ...own, SERVER, join(cwd, 'files')]
}

/** Starts the proxy; nothing is sent yet. */
export function openClient(place: Place, flags: readonly string[] = [], server = demoServer(place)): Client {
  const started = startProcess(['proxy', ...flags, '--', ...server], place)
  const { stdin, stdout } = started.process
  const waiting = new Map<number, (answer: Answer) => void>()
  createInterface(stdout).on('line', (line) => {
    const answer = JSON.parse(line)
    waiting.get(answer.id)?.(answer)
  })
  let id = 0
  return {
    started,
    said: started.said,
    ask: (method, params = {}) =>
      new Promise((resolve, reject) => {
        waiting.set(++id, resolve)
        void started.code.then((code) => reject(new Error(`ended (${code}) before it answered ${method}: ${started.said()}`)))
        stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
      }),
    async end() {
      stdin.end()
      const code = await started.code
      assert.ok(code === 0 || code === 143, `${code} ${started.said()}`) // 143: the demo server took longer to end than it is given
    },
  }
}

export const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
