import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const CHILD = `
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { getHeapSpaceStatistics } from 'node:v8'
import { keepYoungSmall } from ${JSON.stringify(new URL('../src/reading/steady.ts', import.meta.url).href)}
const youngMb = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20
if (process.argv[1] === 'small') keepYoungSmall()
const begun = youngMb()
const worker = new Worker('setInterval(() => {}, 1000)', { eval: true })
await once(worker, 'online')
let held = []
for (let i = 0; i < 400; i++) held = Array.from({ length: 16_000 }, (_, n) => ({ n, before: held.length }))
console.log(JSON.stringify([begun, youngMb()]))
await worker.terminate()
`

function youngMb(argument: string): [number, number] {
  const flags = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source', '--input-type=module']
  return JSON.parse(execFileSync(process.execPath, [...flags, '-e', CHILD, argument], { encoding: 'utf8' })) as [number, number] // the child's own
}

test('the young generation is brought to 4 MB and stays there, however much survives and although a thread was started', () => {
  assert.deepEqual(youngMb('small'), [4, 4])
  assert.ok(youngMb('as it is')[1] > 4, 'V8 lets it grow by itself: what the flag is for')
})
