/**
 * Asks a ledger as a program does that has its index open, or that reads every line; the median of several times.
 * @module
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { answer, childTask } from '../harness/child.ts'
import { median } from '../harness/measure.ts'
import { RARE_WORD, SOME_SESSION } from '../harness/query-words.ts'

export type Question = 'count' | 'group' | 'fetch' | 'session' | 'text'

export interface AskTask {
  readonly directory: string
  readonly questions: readonly Question[]
  readonly times: number
  /** false: read every line. */
  readonly index: boolean
  /** `node_modules` with the packages as they are published; else their sources, whose types each thread takes out when it starts. */
  readonly packages?: string
}

export interface AskAnswer {
  /** Milliseconds of each question, and how many entries it found. */
  readonly answers: Readonly<Record<string, { readonly ms: number; readonly found: number }>>
}

const { directory, questions, times, index, packages } = childTask<AskTask>()
const { openSource } = await load<typeof import('@sworn/analyze')>('@sworn/analyze', 'index')
const { findLedger } = await load<typeof import('@sworn/analyze/reading')>('@sworn/analyze/reading', 'reading/index')
const source = await openSource(findLedger(directory, '/'), { index })
if (index && source.kind !== 'index') throw new Error('the ledger could not be indexed')
const order = { sort: 'seq', descending: false } as const
const ask: Readonly<Record<Question, () => Promise<number>>> = {
  count: async () => (await source.count({ decision: ['deny'] }, []))[0]!.entries,
  group: async () => (await source.count({}, ['decision'])).length,
  fetch: () => fetched({ decision: ['deny'] }),
  session: () => fetched({ session_id: [SOME_SESSION] }),
  text: () => fetched({ text: RARE_WORD }),
}
const answers: Record<string, { ms: number; found: number }> = {}
for (const question of questions) {
  const took: number[] = []
  let found = 0
  for (let time = 0; time < times; time++) {
    const start = performance.now()
    found = await ask[question]()
    took.push(performance.now() - start)
  }
  answers[question] = { ms: median(took), found }
}
source.close()
answer({ answers } satisfies AskAnswer)

async function load<Module>(source: string, published: string): Promise<Module> {
  const file = packages && pathToFileURL(join(packages, '@sworn', 'analyze', 'dist', `${published}.js`)).href
  return (await import(file ?? source)) as Module // the same, as source or as it is published
}

async function fetched(filter: Parameters<typeof source.count>[0]): Promise<number> {
  let bytes = 0
  let count = 0
  for await (const { line } of source.find({ filter, order, passing: true })) {
    bytes += line.length
    count++
  }
  if (count > 0 && bytes === 0) throw new Error('lines without bytes')
  return count
}
