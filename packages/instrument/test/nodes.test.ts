/** The oldest and the newest Node that are supported: every adapter through its contract, and those of `sworn/register` as they are loaded. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { missing, peerFolder } from '../../../testkit/src/peer.ts'
import { later } from '../../../testkit/src/suite.ts'

const OTHERS = [22, 26].map((major) => ({
  name: `Node ${major}`,
  bin: `${peerFolder(`node${major}`)}node_modules/.bin/node`,
  skip: later || missing(`node${major}`),
}))
const notFull = process.env.SWORN_TESTS !== 'full' && 'runs with SWORN_TESTS=full'
const FLAGS = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source']

async function run(bin: string, args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }> {
  const { NODE_TEST_CONTEXT: _ours, ...env } = process.env
  const child = spawn(bin, [...FLAGS, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  const { promise, resolve: done } = Promise.withResolvers<number | null>()
  child.once('close', done)
  return { code: await promise, out }
}

const USES = /^import .+adapter-contract\.ts'$/m
const contracts = globSync('packages/instrument/test/*.test.ts').filter((file) => USES.test(readFileSync(file, 'utf8')))

for (const { name, bin, skip } of OTHERS)
  test(`${name}: every adapter keeps its contract`, { skip: skip || notFull, timeout: 300_000 }, async () => {
    assert.ok(contracts.length >= 8)
    const { code, out } = await run(bin, ['--test', '--test-concurrency=1', '--test-reporter=tap', ...contracts])
    assert.equal(
      code,
      0,
      out
        .split('\n')
        .filter((line) => line.trimStart().startsWith('not ok'))
        .join('\n'),
    )
    assert.match(out, /^# pass [1-9]\d{2,}$/m)
  })

const isThere = ['langchain', 'frameworks'].map(missing).find((reason) => reason !== false) ?? false
for (const { name, bin, skip } of [{ name: 'this Node', bin: process.execPath, skip: later }, ...OTHERS])
  test(`${name}: google-genai, LangChain, OpenAI Agents, Mastra and Genkit are instrumented as they are loaded`, {
    skip: skip || isThere,
    timeout: 120_000,
  }, async () => {
    const { code, out } = await run(bin, [resolve('packages/instrument/test/support/loaded-app.ts')])
    assert.equal(code, 0, out)
    const { seen } = JSON.parse(out.trim().split('\n').at(-1) ?? '')
    assert.deepEqual(seen, [
      'genkit model_response',
      'genkit tool_call_end',
      'google-genai model_response',
      'langchain tool_call_end',
      'mastra model_response',
      'mastra tool_call_end',
      'openai-agents tool_call_end',
    ])
  })
