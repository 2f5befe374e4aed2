/** The table of what instrumentation sees and stops says what tests assert: each of its lines is run, each major has one. @module */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ADAPTERS } from '@sworn/instrument'
import { runsWith } from '../instrument-page.ts'
import { CELLS } from '../src/adapter-cells.ts'

/** Nothing of their own is patched: another package of the adapter is, a process of its own acts, or Node does. */
const ELSEWHERE = ['@openai/agents', '@genkit-ai/core', '@anthropic-ai/claude-agent-sdk', 'fetch', 'http']

test('every cell of the table is a run of the contract', () => {
  const source = globSync('packages/*/test/*.test.ts').map((file) => readFileSync(file, 'utf8'))
  const literals = source.filter((text) => text.includes('adapterContract(')).flatMap((text) => text.match(/'[^'\n]+'|`[^`\n]+`/g) ?? [])
  const patterns = literals.map((literal) => new RegExp(`^${RegExp.escape(literal.slice(1, -1)).replace(/\\\$\\\{.*?\\\}/g, '.+')}$`))
  const unrun = Object.keys(CELLS).filter((name) => !patterns.some((pattern) => pattern.test(name)))
  assert.deepEqual(unrun, [])
})

test('the oldest and the newest major that an adapter names have a run, with a version that is pinned', () => {
  const run = new Set(Object.values(CELLS).map((cell) => `${runsWith(cell).pkg} ${Number.parseInt(runsWith(cell).version, 10)}`))
  const named = ADAPTERS.flatMap(({ targets }) => targets).filter(({ pkg }) => !ELSEWHERE.includes(pkg))
  const missing = named.flatMap(({ pkg, tested }) => tested.map((major) => `${pkg} ${major}`)).filter((one) => !run.has(one))
  assert.deepEqual(missing, [])
})

test('every adapter of a cell is one of the table', () => {
  const known = ADAPTERS.map(({ id }) => id)
  assert.deepEqual(
    [...new Set(Object.values(CELLS).map(({ adapter }) => adapter))].filter((id) => !known.includes(id)),
    [],
  )
})
