/**
 * Verifies a ledger as `verifyLog` does for every caller.
 *
 * Fails unless the ledger holds, signatures included: a verifier that found something has not done the job.
 * @module
 */
import { parseVkey, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { answer, childTask } from '../harness/child.ts'
import { fileChunks } from '../harness/file-chunks.ts'

export interface VerifyTask {
  readonly files: readonly string[]
  readonly vkey: string
}

export interface VerifyAnswer {
  readonly size: number
}

const { files, vkey } = childTask<VerifyTask>()
const report = await verifyLog(fileChunks(files), { primitives: nodePrimitives, trust: parseVkey(vkey) })
if (report.findings.length > 0 || !report.levels.signed.holds)
  throw new Error(`the ledger does not hold: ${JSON.stringify(report.findings)}`)
answer({ size: report.size } satisfies VerifyAnswer)
