/**
 * What the last verification said, beside the counts, so that a page can show it with its age.
 *
 * Derived, and as easily changed as the ledger itself: a number to watch, no proof. Proof is `sworn verify`.
 * @module
 */
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { makeDirectory, readFile, replaceFile } from '../files.ts'
import { type Family, gauge, labelled } from './family.ts'

export interface Verified {
  /** When, milliseconds since 1970. */
  readonly atMs: number
  /** Entries of the ledger at that time. */
  readonly entries: number
  readonly findings: number
  /** By claim: whether it holds. */
  readonly claims: Readonly<Record<string, boolean>>
}

const schema = z.strictObject({
  format: z.literal('sworn-verified/v1'),
  at_ms: z.number().min(0),
  entries: z.int().min(0),
  findings: z.int().min(0),
  claims: z.record(z.string().regex(/^[a-z]{1,20}$/), z.boolean()).refine((claims) => Object.keys(claims).length <= 20),
})

const MAX_BYTES = 4096
const pathOf = (directory: string) => join(directory, 'metrics', 'verified.json')

/** Undefined when there is none that can be read. */
export function readVerified(directory: string): Verified | undefined {
  try {
    const text = readFile(pathOf(directory)) ?? ''
    if (text.length > MAX_BYTES) return undefined
    const { at_ms: atMs, entries, findings, claims } = schema.parse(JSON.parse(text))
    return { atMs, entries, findings, claims }
  } catch {
    return undefined // as if nobody had verified
  }
}

/** @param directory the ledger's. @throws SwornError IO_FAILED */
export function writeVerified(directory: string, { atMs, ...rest }: Verified): void {
  const path = pathOf(directory)
  const value: z.input<typeof schema> = { format: 'sworn-verified/v1', at_ms: atMs, ...rest }
  makeDirectory(dirname(path))
  replaceFile(path, `${JSON.stringify(value)}\n`, `${path}.${process.pid}.new`)
}

export function verifiedFamilies({ atMs, entries, findings, claims }: Verified): readonly Family[] {
  const held = Object.entries(claims).map(([name, holds]) => [name, holds ? 1 : 0] as const)
  return [
    gauge('sworn_verify_holds', '1 where the last verification found that the claim holds', labelled('claim', held)),
    gauge('sworn_verify_findings', 'What the last verification found wrong', findings),
    gauge('sworn_verified_entries', 'Entries of the ledger up to which it was verified', entries),
    gauge('sworn_verify_timestamp_seconds', 'When it was verified last', atMs / 1000),
  ]
}
