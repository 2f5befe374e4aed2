/**
 * The test runner: every `*.test.ts` under the given folders, a process each, one more at a time than there are cores.
 *
 * Ends with the plain line `N passed, N failed` (`, N skipped` when some were) and exit code 0 or 1.
 * `SWORN_TESTS` reaches the tests: unset = fast counts, `ci` = slow suites at a fraction, `full` = all. What the fast
 * suite leaves out is counted before the last line; the rules are part of `npm run check` there. With `CI=true` files that
 * failed are run once more, alone, and named when they pass then.
 * @module
 */
import { chmodSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { later } from './src/suite.ts'

const folders = process.argv.slice(2)
const places = folders.length > 0 ? folders : ['packages', 'testkit', 'examples', 'bench']
const files = places
  .flatMap((place) => (place.endsWith('.test.ts') ? [place] : globSync(`${place}/**/*.test.ts`)))
  .filter((file) => !file.includes('node_modules') && !file.startsWith('testkit/peers/'))
  .filter((file) => folders.length > 0 || !later || !file.startsWith('testkit/rules/'))
  .toSorted()

// Most of a test's time is the start of its processes: each module is compiled once a change. Keyed by content.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '..', 'node_modules', '.cache', 'sworn-tests')
/** Of one file: a test that hangs must not hang the run, and a busy machine takes several times as long as an idle one. */
const FILE_MS = (process.env.SWORN_TESTS === 'full' ? 30 : 8) * 60_000
process.env.SWORN_TEST_FILE_MS ??= String(FILE_MS)
/** More than these did not fail for want of time. */
const MOST_AGAIN = 3
const limited = ['--import', new URL('./time-limit.ts', import.meta.url).href]

// One folder for all that the tests put into the system's: gone with the run. A short name: paths of sockets are short.
const scratch = mkdtempSync(join(tmpdir(), 'sw-'))
chmodSync(scratch, 0o711) // tests run as other users too
process.env.TMPDIR = scratch
process.on('exit', () => {
  try {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  } catch {
    console.error(`something still writes below ${scratch}: it stays`) // no test failed by that
  }
})

interface Count {
  passed: number
  failed: number
  skipped: number
  later: number
}

/** Runs `some` of the files, `concurrency` at a time. @returns the counts of each file */
async function runFiles(some: readonly string[], concurrency: number): Promise<Map<string, Count>> {
  const counts = new Map<string, Count>()
  const countOf = (file = '') => {
    const found = counts.get(relative('', file)) ?? { passed: 0, failed: 0, skipped: 0, later: 0 }
    counts.set(relative('', file), found)
    return found
  }
  const stream = run({ files: [...some], concurrency, execArgv: [...process.execArgv, ...limited], timeout: FILE_MS })
  stream.on('test:pass', ({ details, skip, file }) => {
    if (details.type === 'suite') return
    const count = countOf(file)
    if (skip === undefined) count.passed++
    else count.skipped++
    if (later && skip === later) count.later++
  })
  stream.on('test:fail', ({ file }) => countOf(file).failed++)
  await finished(stream.compose(new spec()).on('data', (text: string) => process.stdout.write(text)))
  return counts
}

const counts = await runFiles(files, availableParallelism() + 1)
const failed = [...counts].filter(([, { failed }]) => failed > 0).map(([file]) => file)
// A busy machine breaks limits of time, and that says nothing about the code: a few failed files have a second chance, alone.
const again = process.env.CI === 'true' && failed.length <= MOST_AGAIN ? failed : []
for (const file of again) {
  console.log(`${file} failed beside others and is run again, alone`)
  for (const [name, count] of await runFiles([file], 1)) counts.set(name, count)
}
const unsteady = again.filter((file) => counts.get(file)?.failed === 0)
if (unsteady.length > 0) console.log(`passed alone only, a race or a limit to be mended: ${unsteady.join(', ')}`)

const sum = (of: keyof Count) => counts.values().reduce((total, count) => total + count[of], 0)
const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : ''
if (sum('later') > 0)
  console.log(`the fast suite left ${sum('later')} tests${folders.length > 0 ? '' : ' and testkit/rules'} out: SWORN_TESTS=ci npm test`)
const none = sum('passed') + sum('failed') === 0
console.log(none ? `no test found in ${places.join(', ')}` : `${sum('passed')} passed, ${sum('failed')} failed${skipped}`)
process.exitCode = sum('failed') > 0 || none ? 1 : 0
