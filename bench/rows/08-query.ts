/**
 * Row 8: counting, grouping, fetching 4 % and one session, on a million entries.
 *
 * Ours is asked in a process that has the index open, as a server or a program does, with the packages as they are
 * published; the founding documents' own jq commands, ripgrep and DuckDB over the same files are what people have without
 * one. Where the two are near each other they are asked in turns. Rivals that are not installed are said and left out.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import type { AskAnswer, AskTask, Question } from '../children/ask.ts'
import { PUBLISHED_FLAGS, runChild, timeoutFor } from '../harness/child.ts'
import { type Command, timeCommands } from '../harness/commands.ts'
import { openDuckDb } from '../harness/duckdb.ts'
import { type Bound, compare, type Measurement, median, type Row } from '../harness/measure.ts'
import { type QueryLog, writeQueryLog } from '../harness/query-log.ts'
import { SOME_SESSION } from '../harness/query-words.ts'
import { stagePackages } from '../harness/staged.ts'
import { withWorkdir } from '../harness/workdir.ts'

export const query: Row = {
  row: 8,
  job: 'count, group, fetch 4 % and fetch one session',
  against: "the founding documents' jq commands; DuckDB read_ndjson; ripgrep",
  target: 'counts ≥ 2,000 × jq and ≥ 100 × DuckDB; fetch ≥ 100 × jq and ≤ 1 × ripgrep; one session ≥ 10,000 × jq; unindexed scan ≥ 25 × jq',
  sizes: true,
  run: (quick, entries) => withWorkdir((dir) => measure(dir, entries ?? (quick ? 1000 : 1_000_000), quick || entries ? 1 : 3)),
}

type Answers = AskAnswer['answers']

const QUESTIONS = ['count', 'group', 'fetch', 'session'] as const
/** Times in one process whose median is a round, of what takes long and is asked in turns with its rival. */
const TIMES = 5

/** Asks in a process of its own. */
type Ask = (index: boolean, questions: readonly Question[], times: number) => Promise<Answers>

async function measure(dir: string, entries: number, rounds: number): Promise<readonly Measurement[]> {
  const log = writeQueryLog(dir, entries, 8)
  const packages = dirname(await stagePackages(dir))
  const ask: Ask = async (index, questions, times) => {
    const task = { directory: dir, questions, times, index, packages } satisfies AskTask
    return (await runChild<AskAnswer>('ask', task, timeoutFor(entries), PUBLISHED_FLAGS)).answers
  }
  await ask(true, [], 1) // indexed before anything is measured
  const ours = await ask(true, QUESTIONS, entries < 10_000 ? 3 : 15)
  const found = `${ours.fetch!.found} denied, ${ours.session!.found} in the session`
  const note = `${entries.toLocaleString('en-US')} entries, ${(log.bytes / 1e9).toFixed(2)} GB; ${found}; memory: row 5`
  return [
    ...againstJq(ours, log, note),
    ...(await scanAgainstJq(ask, log, Math.min(rounds, 2))),
    ...(await againstRipgrep(ask, log, rounds)),
    ...(await againstDuckDb(ours, log, rounds)),
  ]
}

const deniedByJq = (files: readonly string[]): Command => ({ command: 'jq', args: ['-c', 'select(.decision == "deny")', ...files] })

/** One round: jq takes long enough to be its own average. */
function againstJq(ours: Answers, { files }: QueryLog, note: string): Measurement[] {
  if (!has('jq')) return []
  const { denied, grouped, session } = timeCommands(
    {
      denied: deniedByJq(files),
      grouped: { command: 'jq', args: ['-n', 'reduce inputs as $e ({}; .[$e.decision // "none"] += 1)', ...files] },
      session: { command: 'jq', args: ['-c', `select(.session_id == "${SOME_SESSION}")`, ...files] },
    },
    1,
  )
  const faster = (what: string, name: Question, rival: readonly number[], atLeast: number): Measurement =>
    compare({ what, against: 'jq', ours: rival, rival: [ours[name]!.ms], bound: { atLeast }, note })
  return [
    faster('count of denials, ms of jq by ms of ours', 'count', denied, 2000),
    faster('group by decision, ms of jq by ms of ours', 'group', grouped, 2000),
    faster('fetch of 4 %, ms of jq by ms of ours', 'fetch', denied, 100),
    faster('fetch of one session, ms of jq by ms of ours', 'session', session, 10_000),
  ]
}

/** In turns: a machine that slows down slows both. */
async function inTurns(rounds: number, own: () => Promise<number>, rival: () => number): Promise<{ ours: number[]; rival: number[] }> {
  const took = { ours: [] as number[], rival: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    took.ours.push(await own())
    took.rival.push(rival())
  }
  return took
}

async function scanAgainstJq(ask: Ask, { files }: QueryLog, rounds: number): Promise<Measurement[]> {
  if (!has('jq')) return []
  const scan = async () => (await ask(false, ['count'], TIMES)).count!.ms
  const took = await inTurns(rounds, scan, () => timeCommands({ denied: deniedByJq(files) }, 1).denied[0]!)
  const note = `in turns; a round of ours is the median of ${TIMES} in one process, each with a thread of its own, a round of jq is one`
  const what = 'count without index, ms of jq by ms of ours'
  return [compare({ what, against: 'jq', ours: took.rival, rival: took.ours, bound: { atLeast: 25 }, note })]
}

async function againstRipgrep(ask: Ask, { files }: QueryLog, rounds: number): Promise<Measurement[]> {
  if (!has('rg')) return []
  const search = { command: 'rg', args: ['--no-filename', '-F', '"decision":"deny"', ...files] }
  const fetch = async () => (await ask(true, ['fetch'], TIMES)).fetch!.ms
  const took = await inTurns(rounds, fetch, () => median(timeCommands({ search }, TIMES).search))
  const note = `in turns; a round is the median of ${TIMES}, of ours in one process; ripgrep searches on as many threads as there are processors`
  return [compare({ what: 'fetch of 4 %, ms', against: 'ripgrep', ...took, bound: { atMost: 1 }, note })]
}

async function againstDuckDb(ours: Answers, { files }: QueryLog, rounds: number): Promise<Measurement[]> {
  const duckdb = await openDuckDb()
  if (!duckdb) {
    console.error('SKIPPED: DuckDB is not installed (npm ci in testkit/peers/duckdb)')
    return []
  }
  const source = `read_ndjson([${files.map((file) => `'${file}'`).join(', ')}], columns = {decision: 'VARCHAR'})`
  const bound: Bound = { atLeast: 100 }
  const time = async (sql: string): Promise<number[]> => {
    const took: number[] = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      await duckdb.runAndReadAll(sql)
      took.push(performance.now() - start)
    }
    return took
  }
  const counted = await time(`SELECT count(*) FROM ${source} WHERE decision = 'deny'`)
  const grouped = await time(`SELECT decision, count(*) FROM ${source} GROUP BY decision`)
  return [
    compare({
      what: 'count of denials, ms of DuckDB by ms of ours',
      against: 'DuckDB read_ndjson',
      ours: counted,
      rival: counted.map(() => ours.count!.ms),
      bound,
    }),
    compare({
      what: 'group by decision, ms of DuckDB by ms of ours',
      against: 'DuckDB read_ndjson',
      ours: grouped,
      rival: grouped.map(() => ours.group!.ms),
      bound,
    }),
  ]
}

function has(command: string): boolean {
  const found = spawnSync(command, ['--version']).status === 0
  if (!found) console.error(`SKIPPED: ${command} is not installed`)
  return found
}
