/**
 * The foreign formats that can be checked, and how a file is recognised as one of them.
 * @module
 */
import type { JsonObject } from '@sworn/verify'
import { own, part } from '../codecs/values.ts'
import { checkAat } from './aat.ts'
import { checkActa } from './acta.ts'
import { checkAegisRows } from './aegis-rows.ts'
import { checkAgentReceipts } from './agent-receipts.ts'
import { checkAivs } from './aivs.ts'
import { checkAegis, checkGantz } from './chains.ts'
import { checkCose } from './cose.ts'
import { checkNoa } from './noa.ts'
import { checkOcsf } from './ocsf.ts'
import { readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport } from './report.ts'
import { checkSahu } from './sahu.ts'
import { isCose } from './sign1.ts'

export interface ForeignFormat {
  readonly name: string
  readonly title: string
  readonly source: string
  /** What it takes as `inputs`, for people; absent when it takes none. */
  readonly inputs?: string
  check(bytes: Uint8Array, options: ForeignOptions): Promise<ForeignReport>
  /** True for the first record of such a log. */
  fits(record: JsonObject): boolean
}

const has = (record: JsonObject, ...names: readonly string[]) => names.every((name) => own(record, name) !== undefined)

export const FOREIGN_FORMATS: readonly ForeignFormat[] = [
  {
    name: 'gantz',
    title: 'Gantz chain',
    source: 'Gantz tutorial, steps 2 and 5',
    check: checkGantz,
    fits: (record) => has(record, 'event_id', 'event_hash', 'parameters'),
  },
  {
    name: 'aegis',
    title: 'Aegis chain',
    source: 'Aegis audit trail page; core/crypto_audit.py',
    check: checkAegis,
    fits: (record) => has(record, 'sequence_id', 'entry_hash', 'action_type'),
  },
  {
    name: 'aegis-rows',
    title: 'Aegis audit_log rows, also as its SQLite file',
    source: 'Aegis audit trail page; runtime/audit.py',
    check: checkAegisRows,
    fits: (record) => has(record, 'id', 'action_type', 'result_status', 'human_decision'),
  },
  {
    name: 'aat',
    title: 'Agent Audit Trail',
    source: 'draft-sharif-agent-audit-trail-06 as far as it is public',
    check: checkAat,
    fits: (record) => has(record, 'record_id', 'record_phase', 'action_detail'),
  },
  {
    name: 'sahu',
    title: 'Agent action receipts',
    source: 'draft-sahu-agent-action-receipts-01',
    check: checkSahu,
    fits: (record) => has(record, 'step_id', 'action_id', 'ts_ms'),
  },
  {
    name: 'noa',
    title: 'NOA receipts',
    source: 'draft-noa-scitt-ai-agent-receipt-01',
    check: checkNoa,
    inputs: 'an execution grant, an action digest, the `{"tenant", "chain"}` that you expect, an identity manifest',
    fits: (record) => record.spec === 'noa.receipt/0.1',
  },
  {
    name: 'agent-receipts',
    title: 'Agent receipts (Obsigna)',
    source: 'agent-receipts specification 0.1 to 0.5',
    check: checkAgentReceipts,
    inputs: 'the parameters of a receipt, as JSON',
    fits: (record) => has(record, 'credentialSubject', 'proof'),
  },
  {
    name: 'aivs',
    title: 'AIVS rows',
    source: 'draft-stone-aivs-00, AIVS v1.0',
    check: (bytes, options) => checkAivs({ 'audit_log.jsonl': bytes }, options),
    fits: (record) => has(record, 'row_hash', 'cost_cents'),
  },
  {
    name: 'acta',
    title: 'ACTA receipts',
    source: 'draft-farley-acta-signed-receipts-03',
    check: checkActa,
    fits: (record) => has(record, 'payload', 'signature') && has(part(record, 'signature'), 'kid', 'sig'),
  },
  {
    name: 'ocsf',
    title: 'OCSF attestations',
    source: 'OCSF 1.9.0-dev, record_integrity',
    check: checkOcsf,
    fits: (record) => has(record, 'class_uid', 'attestation_list'),
  },
]

const COSE: ForeignFormat = {
  name: 'cose',
  title: 'COSE statements and receipts',
  source: 'RFC 9052, RFC 9864, RFC 9942',
  check: checkCose,
  inputs: 'for a receipt the bytes that the service hashed, or the earlier root; for a statement its detached payload',
  fits: () => false,
}

/** Every format, COSE included, which is told by its first bytes. */
export const ALL_FOREIGN_FORMATS: readonly ForeignFormat[] = [...FOREIGN_FORMATS, COSE]

/** The format of a log, by its first readable record; undefined for our own and for everything unknown. @param bytes the whole file */
export function findForeignFormat(bytes: Uint8Array): ForeignFormat | undefined {
  if (isCose(bytes)) return COSE
  for (const { value } of readRecords(bytes, createTally())) return FOREIGN_FORMATS.find((format) => format.fits(value))
  return undefined
}
