import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const CHILD = `
import { getHeapSpaceStatistics } from 'node:v8'
import { keepYoungSmall } from ${JSON.stringify(new URL('../src/reading/steady.ts', import.meta.url).href)}
const youngMb = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20
if (process.argv[1] === 'small') keepYoungSmall()
const begun = youngMb()
let held = []
for (let i = 0; i < 400; i++) held = Array.from({ length: 16_000 }, (_, n) => ({ n, before: held.length }))
console.log(JSON.stringify([begun, youngMb()]))
`

function youngMb(argument: string): [number, number] {
  const flags = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source', '--input-type=module']
  return JSON.parse(execFileSync(process.execPath, [...flags, '-e', CHILD, argument], { encoding: 'utf8' })) as [number, number] // the child's own
}

test('the young generation is brought to 16 MB and stays there, however much survives', () => {
  assert.deepEqual(youngMb('small'), [16, 16])
  assert.ok(youngMb('as it is')[1] > 16, 'V8 lets it grow by itself: what the flag is for')
})
