/**
 * The test runner: every `*.test.ts` under the given folders, a process each, one more at a time than there are cores.
 *
 * Ends with the plain line `N passed, N failed` (`, N skipped` when some were) and exit code 0 or 1.
 * `SWORN_TESTS` reaches the tests: unset = fast counts, `ci` = slow suites at a fraction, `full` = all. What the fast
 * suite leaves out is counted before the last line; the rules are part of `npm run check` there.
 * @module
 */
import { chmodSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
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
/** Of one file: a test that hangs must not hang the run. */
const FILE_MS = (process.env.SWORN_TESTS === 'full' ? 30 : 5) * 60_000
process.env.SWORN_TEST_FILE_MS ??= String(FILE_MS)
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

const count = { passed: 0, failed: 0, skipped: 0, later: 0 }
const stream = run({ files, concurrency: availableParallelism() + 1, execArgv: [...process.execArgv, ...limited], timeout: FILE_MS })
stream.on('test:pass', (event) => {
  if (event.details.type === 'suite') return
  if (event.skip !== undefined) count.skipped++
  if (later && event.skip === later) count.later++
  if (event.skip === undefined) count.passed++
})
stream.on('test:fail', () => count.failed++)
stream.compose(new spec()).pipe(process.stdout)
stream.on('end', () => {
  setImmediate(() => {
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    if (count.later > 0)
      console.log(`the fast suite left ${count.later} tests${folders.length > 0 ? '' : ' and testkit/rules'} out: SWORN_TESTS=ci npm test`)
    const none = count.passed + count.failed === 0
    console.log(none ? `no test found in ${places.join(', ')}` : `${count.passed} passed, ${count.failed} failed${skipped}`)
    process.exitCode = count.failed > 0 || none ? 1 : 0
  })
})
