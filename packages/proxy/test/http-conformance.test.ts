/** The official conformance suite, with and without the proxy; installed by `npm ci --ignore-scripts --prefix testkit/peers/conformance`. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openHttpProxy } from '../src/http/index.ts'
import { openEverything, openModern } from './support/http-servers.ts'
import { createMemoryRecorder } from './support/memory-recorder.ts'

const FOLDER = fileURLToPath(new URL('../../../testkit/peers/conformance/', import.meta.url))
const SUITE = `${FOLDER}node_modules/@modelcontextprotocol/conformance/dist/index.js`

const later =
  process.env.SWORN_TESTS === undefined
    ? 'runs with SWORN_TESTS=ci'
    : !existsSync(SUITE) && 'NOT RUN: npm ci --ignore-scripts --prefix testkit/peers/conformance'

/** Verdicts by scenario: `2 passed, 0 failed`. */
function judge(url: string, revision: string): Promise<Map<string, string>> {
  const args = [SUITE, 'server', '--url', url, '--requirements', revision]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: FOLDER, timeout: 120_000, maxBuffer: 2 ** 27 }, (_failures, stdout) => {
      const plain = stdout.replaceAll(/\u001b\[[0-9;]*m/g, '')
      resolve(new Map(Array.from(plain.matchAll(/^[✓✗] ([\w-]+): (\d+ passed, \d+ failed)/gm), ([, name, verdict]) => [name!, verdict!])))
    })
  })
}

/** Where the proxy keeps out what this upstream lets in; everything else has to be the same. */
const STRICTER = new Map([['dns-rebinding-protection', '2 passed, 0 failed']])

describe('MCP conformance', { skip: later }, () => {
  for (const [revision, server, least] of [
    ['2025-11-25', openEverything, 25],
    ['2026-07-28', openModern, 45],
  ] as const) {
    it(`gives the same verdicts of ${revision} through the proxy as without it`, { timeout: 300_000 }, async (t) => {
      const upstream = await server()
      const listen = { host: '127.0.0.1', port: 0 }
      const stderr = new PassThrough().resume()
      const proxy = await openHttpProxy({ upstream: upstream.url, recorder: createMemoryRecorder(), listen, stderr })
      const direct = await judge(upstream.url.href, revision)
      const through = await judge(proxy.url, revision)
      await proxy.close()
      await upstream.close()
      assert.ok(direct.size >= least, `${direct.size} scenarios`)
      assert.deepEqual(through, new Map([...direct, ...STRICTER]))
      t.diagnostic(`${direct.size} scenarios`)
    })
  }
})
