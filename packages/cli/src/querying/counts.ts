/**
 * `--count-by`: how many match, by each combination of members.
 * @module
 */
import type { Count, Filter, Source } from '@sworn/analyze'
import { formatRow } from '../text/csv.ts'
import { formatTable } from '../text/table.ts'
import type { Output } from './output.ts'
import { GROUP_NAMES, type GroupName, type QuestionValues } from './question.ts'

export interface Target {
  readonly output: Output
  /** Cells of a table. */
  readonly width: number
}

/** Prints them, most first. @returns how many entries were counted */
export async function printCounts(source: Source, filter: Filter, flags: QuestionValues, { output, width }: Target): Promise<number> {
  const names = [...new Set(flags['count-by'])] as GroupName[] // its choices
  const counts = await source.count(
    filter,
    names.map((name) => GROUP_NAMES[name]),
  )
  for (const line of format(counts, names, flags, width)) await output.write(line)
  return counts.reduce((sum, { entries }) => sum + entries, 0)
}

function format(counts: readonly Count[], names: readonly GroupName[], flags: QuestionValues, width: number): string[] {
  const objects = () =>
    counts.map(({ texts, entries }) => ({ ...Object.fromEntries(names.map((name, i) => [GROUP_NAMES[name], texts[i]])), entries }))
  const rows = () => counts.map(({ texts, entries }) => [...texts.map((text) => text ?? ''), String(entries)])
  if (flags.json || flags.format === 'json') return [JSON.stringify({ counts: objects() })]
  if (flags.format === 'jsonl') return objects().map((object) => JSON.stringify(object))
  if (flags.format === 'csv') return [formatRow([...names.map((name) => GROUP_NAMES[name]), 'entries']), ...rows().map(formatRow)]
  return formatTable([...names.map((name) => ({ title: name.toUpperCase(), stretch: true as const })), { title: 'ENTRIES' }], rows(), width)
}
