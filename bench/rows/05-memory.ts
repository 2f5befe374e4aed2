/**
 * Row 5: memory that does not grow: a recorder under a million events, a verifier and a report of a ledger of any size.
 *
 * The bare process runs the same loop over the same events and records nothing, so that what the bench itself
 * holds is not counted.
 * @module
 */
import type { ReportAnswer, ReportTask } from '../children/report.ts'
import type { VerifyAnswer, VerifyTask } from '../children/verify.ts'
import { writeBenchLog } from '../harness/bench-log.ts'
import { burstRounds } from '../harness/bursts.ts'
import { runChild } from '../harness/child.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { writeQueryLog } from '../harness/query-log.ts'
import { withWorkdir } from '../harness/workdir.ts'

const ALLOWED_MB = 60
/** Growth between a fifth of the events and the end that counts as flat: what the collector swings. */
const FLAT = 1.15

export const memory: Row = {
  row: 5,
  job: 'memory of a recorder under 1,000,000 events, of a verifier and of a report',
  against: 'the allowed 60 MB above the bare process',
  target: 'flat, ≤ 60 MB above the bare process; verify and report likewise, whatever the file’s size',
  async run(quick) {
    return [...(await ofRecorder(quick)), ...(await ofVerifier(quick)), ...(await ofReport(quick))]
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

async function ofVerifier(quick: boolean): Promise<readonly Measurement[]> {
  const [few, many] = quick ? [30, 90] : [30_000, 300_000]
  const small = await verifierMb(few)
  const large = await verifierMb(many)
  const above = { ours: [large.peakMb - large.bareMb], rival: [ALLOWED_MB] }
  const note = `${many.toLocaleString('en-US')} entries against ${few.toLocaleString('en-US')}`
  return [
    compare({ what: 'verifier above bare process, MB', against: 'allowed', ...above, bound: { atMost: 1 } }),
    compare({
      what: 'verifier, MB',
      against: 'a tenth of the file',
      ours: [large.peakMb],
      rival: [small.peakMb],
      bound: { atMost: FLAT },
      note,
    }),
  ]
}

function verifierMb(entries: number): Promise<VerifyAnswer> {
  return withWorkdir(async (dir) => {
    const { files, vkey } = writeBenchLog(dir, entries, 5)
    return runChild<VerifyAnswer>('verify', { files, vkey } satisfies VerifyTask)
  })
}

async function ofReport(quick: boolean): Promise<readonly Measurement[]> {
  const [few, many] = quick ? [300, 900] : [100_000, 1_000_000]
  const small = await reportMb(few)
  const large = await reportMb(many)
  const note = `${many.toLocaleString('en-US')} entries against ${few.toLocaleString('en-US')}, with a framework, rules and the page`
  return [
    compare({
      what: 'report above a process that has loaded it, MB',
      against: 'allowed',
      ours: [large.peakMb - large.bareMb],
      rival: [ALLOWED_MB],
      bound: { atMost: 1 },
    }),
    compare({
      what: 'report, MB',
      against: 'a tenth of the file',
      ours: [large.peakMb],
      rival: [small.peakMb],
      bound: { atMost: FLAT },
      note,
    }),
  ]
}

/** Every line is read, as `sworn report` does without a period. */
function reportMb(entries: number): Promise<ReportAnswer> {
  return withWorkdir(async (dir) => {
    const { directory } = writeQueryLog(dir, entries, 5)
    return runChild<ReportAnswer>('report', { directory, entries, index: false } satisfies ReportTask)
  })
}
