/**
 * Row 5: memory that does not grow: a recorder under a million events, and the commands that read a ledger of any size.
 *
 * For the recorder the bare process runs the same loop over the same events and records nothing, so that what the bench
 * itself holds is not counted. The commands are those of the packages as they are published, beside `node -e 0`: what
 * they load counts.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeBenchLog } from '../harness/bench-log.ts'
import { burstRounds } from '../harness/bursts.ts'
import { peakOfNode } from '../harness/commands.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { writeQueryLog } from '../harness/query-log.ts'
import { stagePackages } from '../harness/staged.ts'
import { withWorkdir } from '../harness/workdir.ts'

const ALLOWED_MB = 60
/** Growth between a fifth of the events and the end, or a tenth of the file and the whole, that counts as flat: what the collector swings. */
const FLAT = 1.15

export const memory: Row = {
  row: 5,
  job: 'memory of a recorder under 1,000,000 events, and of what reads a ledger',
  against: 'the allowed 60 MB above the bare process',
  target: 'flat, ≤ 60 MB above the bare process; verify, query, report and export likewise, whatever the file’s size',
  sizes: true,
  async run(quick, entries) {
    if (entries !== undefined) return ofCommands(entries)
    return [...(await ofRecorder(quick)), ...(await ofCommands(quick ? 900 : 1_000_000))]
  },
}

async function ofRecorder(quick: boolean): Promise<readonly Measurement[]> {
  const plan = quick ? { rounds: 1, events: 640 } : { rounds: 1, events: 1_000_000 }
  const { sworn, nothing } = await burstRounds({ candidates: ['sworn', 'nothing'], ...plan })
  const above = sworn.map((answer, round) => answer.peakMb - nothing[round]!.peakMb)
  const growth = { ours: sworn.map((answer) => answer.lateMb), rival: sworn.map((answer) => answer.earlyMb) }
  return [
    compare({
      what: 'recorder above bare process, MB',
      against: 'allowed',
      ours: above,
      rival: above.map(() => ALLOWED_MB),
      bound: { atMost: 1 },
    }),
    compare({ what: 'recorder at the end, MB', against: 'itself after a fifth', ...growth, bound: { atMost: FLAT } }),
  ]
}

/** In this order: the first question makes the index. A checked ledger is a signed one, of the same events without decisions and sessions. */
const COMMANDS: Readonly<Record<string, (to: Paths) => readonly string[]>> = {
  'first query, which makes the index': ({ plain }) => ['query', plain, '--decision', 'deny', '--count-by', 'tool'],
  'query of 4 %': ({ plain }) => ['query', plain, '--decision', 'deny', '--format', 'jsonl'],
  'query without index': ({ plain }) => ['query', plain, '--no-index', '--decision', 'deny', '--count-by', 'tool'],
  'report with a framework': ({ plain, dir }) => ['report', plain, '--unchecked', '--framework', 'soc2', '-o', join(dir, 'report.html')],
  export: ({ plain, dir }) => ['export', plain, '--dialect', 'ocsf', '-o', join(dir, 'export.ndjson')],
  verify: ({ signed, vkey }) => ['verify', signed, '--key', vkey],
  'report behind the check of the ledger': ({ signed, vkey, dir }) => ['report', signed, '--key', vkey, '-o', join(dir, 'report.html')],
}

interface Paths {
  readonly plain: string
  readonly signed: string
  readonly vkey: string
  readonly dir: string
}

async function ofCommands(many: number): Promise<readonly Measurement[]> {
  const few = Math.floor(many / 10)
  const small = await peaksOver(few)
  const { bare, ...large } = await peaksOver(many)
  const counts = `${many.toLocaleString('en-US')} entries against ${few.toLocaleString('en-US')}`
  const note = `${counts}; resident, shared pages included; bare is \`node -e 0\` of ${Math.round(bare!)} MB, so that what a command loads counts`
  return Object.entries(large).flatMap(([name, peak], i) => [
    compare({
      what: `${name}, above bare process, MB`,
      against: 'allowed',
      ours: [peak - bare!],
      rival: [ALLOWED_MB],
      bound: { atMost: 1 },
    }),
    compare({
      what: `${name}, MB`,
      against: 'a tenth of the file',
      ours: [peak],
      rival: [small[name]!],
      bound: { atMost: FLAT },
      ...(i === 0 && { note }),
    }),
  ])
}

/** Peak of each command, and of the bare process as `bare`, in MB. */
function peaksOver(entries: number): Promise<Readonly<Record<string, number>>> {
  return withWorkdir(async (dir) => {
    const [plain, signed] = [join(dir, 'plain'), join(dir, 'signed')]
    mkdirSync(join(signed, 'segments'), { recursive: true })
    writeQueryLog(plain, entries, 5)
    const { vkey } = writeBenchLog(join(signed, 'segments'), entries, 5)
    const sworn = join(await stagePackages(dir), 'dist', 'bin.js')
    const env = { PATH: process.env.PATH, HOME: dir, SWORN_HOME: join(dir, 'home') }
    const peaks = Object.entries(COMMANDS).map(
      ([name, args]) => [name, peakOfNode({ args: [sworn, ...args({ plain, signed, vkey, dir })], env })] as const,
    )
    return { bare: peakOfNode({ args: ['-e', '0'], env }), ...Object.fromEntries(peaks) }
  })
}
