/**
 * The test runner: every `*.test.ts` under the given folders, two processes at a time.
 *
 * Ends with the plain line `N passed, N failed` (`, N skipped` when some were) and exit code 0 or 1.
 * `SWORN_TESTS` reaches the tests: unset = fast counts, `ci` = slow suites at a fraction, `full` = all.
 * @module
 */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const folders = process.argv.slice(2)
const places = folders.length > 0 ? folders : ['packages', 'testkit', 'examples', 'bench']
const files = places
  .flatMap((place) => (place.endsWith('.test.ts') ? [place] : globSync(`${place}/**/*.test.ts`)))
  .filter((file) => !file.includes('node_modules') && !file.startsWith('testkit/peers/'))
  .toSorted()

// Most of a test's time is the start of its processes: each module is compiled once a change. Keyed by content.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '..', 'node_modules', '.cache', 'sworn-tests')
/** Of one file: a test that hangs must not hang the run. */
const FILE_MS = (process.env.SWORN_TESTS === 'full' ? 30 : 5) * 60_000
process.env.SWORN_TEST_FILE_MS ??= String(FILE_MS)
const limited = ['--import', new URL('./time-limit.ts', import.meta.url).href]

const count = { passed: 0, failed: 0, skipped: 0 }
const stream = run({ files, concurrency: 2, execArgv: [...process.execArgv, ...limited], timeout: FILE_MS })
stream.on('test:pass', (event) => {
  if (event.details.type === 'suite') return
  if (event.skip !== undefined) count.skipped++
  else count.passed++
})
stream.on('test:fail', () => count.failed++)
stream.compose(new spec()).pipe(process.stdout)
stream.on('end', () => {
  setImmediate(() => {
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    const none = count.passed + count.failed === 0
    console.log(none ? `no test found in ${places.join(', ')}` : `${count.passed} passed, ${count.failed} failed${skipped}`)
    process.exitCode = count.failed > 0 || none ? 1 : 0
  })
})
