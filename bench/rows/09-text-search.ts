/**
 * Row 9: a rare word in a million entries, found as whole entries whatever its case, against ripgrep on the files.
 * @module
 */
import { spawnSync } from 'node:child_process'
import type { AskAnswer, AskTask } from '../children/ask.ts'
import { runChild } from '../harness/child.ts'
import { timeCommands } from '../harness/commands.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { writeQueryLog } from '../harness/query-log.ts'
import { RARE_WORD } from '../harness/query-words.ts'
import { withWorkdir } from '../harness/workdir.ts'

export const textSearch: Row = {
  row: 9,
  job: 'text search over 1,000,000 events',
  against: 'ripgrep on the same files',
  target: 'no slower for rare words',
  run: (quick) => withWorkdir((dir) => measure(dir, quick ? 1000 : 1_000_000, quick ? 1 : 5)),
}

async function measure(dir: string, entries: number, rounds: number): Promise<readonly Measurement[]> {
  const { files, bytes } = writeQueryLog(dir, entries, 9)
  const ask = (times: number) => runChild<AskAnswer>('ask', { directory: dir, questions: ['text'], times, index: true } satisfies AskTask)
  if ((await ask(1)).answers.text?.found !== 1) throw new Error('the rare word was not found once')
  const note = `${entries.toLocaleString('en-US')} entries, ${(bytes / 1e9).toFixed(2)} GB; the index is open`
  const [name, command] =
    spawnSync('rg', ['--version']).status === 0
      ? (['ripgrep -i', 'rg'] as const)
      : (['grep -i, for ripgrep is not installed', 'grep'] as const)
  const rival = timeCommands({ search: { command, args: ['--no-filename', '-i', '-F', RARE_WORD, ...files] } }, rounds).search
  const ours: number[] = []
  for (let round = 0; round < rounds; round++) ours.push((await ask(5)).answers.text!.ms)
  return [compare({ what: 'rare word, ms', against: name, ours, rival, bound: { atMost: 1 }, note })]
}
