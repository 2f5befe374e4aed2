/**
 * The two unkeyed chains of the founding documents: Gantz and Aegis.
 *
 * Both hash Python's JSON, so digits count as written. Neither has a key: whoever can write the file can make the
 * whole chain anew, and a cut end leaves no trace. Source: Gantz tutorial, steps 2 and 5; Aegis audit trail page;
 * spec interop §4.
 * @module
 */
import { asText, type HashName, type JsonObject, toHex } from '@sworn/verify'
import { AEGIS_GENESIS, aegisHashInput } from '../codecs/aegis.ts'
import { gantzHashInput } from '../codecs/gantz.ts'
import type { Digits } from '../native.ts'
import { type Reading, readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport, type Tally, toReport } from './report.ts'

const UNKEYED = 'The chain has no key: whoever can write the file can change anything and make the chain anew.'
const CUT = 'Records removed at the end leave no trace.'
const GANTZ_MEMBERS =
  'event_id event_type timestamp session_id correlation_id user_id agent_id action resource parameters result error severity duration_ms ip_address user_agent previous_hash event_hash'.split(
    ' ',
  )

export async function checkGantz(bytes: Uint8Array, { primitives }: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bytes, tally)
  let previous: unknown = null
  for (const { number, value, digits } of records) {
    if (Object.keys(value).some((name) => !GANTZ_MEMBERS.includes(name)))
      tally.add('malformed', number, 'a member that Gantz does not have: its own reader refuses the line')
    if ((value.previous_hash ?? null) !== previous) tally.add('link_mismatch', number, gantzBreak(number, value.previous_hash))
    const hash = toHex(primitives.hash('sha256', gantzHashInput(value, digits)))
    if (value.event_hash !== hash) tally.add('hash_mismatch', number, 'the record does not match its event_hash')
    previous = value.event_hash ?? null
  }
  const chain = { shown: true, detail: 'six of eighteen members of each record, in this order; unkeyed' }
  return toReport('gantz', records.count, tally, { bytes: form(records), chain }, [
    'Twelve of eighteen members are not hashed: user, session, result, error and times taken can be changed unseen.',
    UNKEYED,
    CUT,
    'A restart or a rotation of Gantz looks like records removed at the start.',
  ])
}

function gantzBreak(number: number, link: unknown): string {
  if (number > 1 && (link ?? null) === null) return 'the chain begins anew here: a restart of Gantz, or records were removed'
  return 'previous_hash is not the hash of the record before'
}

export async function checkAegis(bytes: Uint8Array, options: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bytes, tally)
  let algorithm: HashName | undefined
  let previous = AEGIS_GENESIS
  for (const { number, value, digits } of records) {
    algorithm ??= aegisAlgorithm(value, digits, options)
    checkPosition(tally, number, value.sequence_id, records.count - 1)
    if (value.previous_hash !== previous) tally.add('link_mismatch', number, 'previous_hash is not the hash of the entry before')
    const hash = toHex(options.primitives.hash(algorithm, aegisHashInput(value, digits)))
    if (value.entry_hash !== hash) tally.add('hash_mismatch', number, 'the entry does not match its entry_hash')
    previous = asText(value.entry_hash)
  }
  const chain = { shown: true, detail: `every member of each entry, in this order, ${algorithm ?? 'sha256'}; unkeyed` }
  return toReport('aegis', records.count, tally, { bytes: form(records), chain }, [UNKEYED, CUT])
}

/** The hash is not named in an entry: it is the one that the first entry fits. */
function aegisAlgorithm(first: JsonObject, digits: Digits, { primitives }: ForeignOptions): HashName {
  const isSha3 = first.entry_hash === toHex(primitives.hash('sha3-256', aegisHashInput(first, digits)))
  return isSha3 ? 'sha3-256' : 'sha256'
}

/** A numbered log: the record's number is its position. */
export function checkPosition(tally: Tally, record: number, found: unknown, expected: number): void {
  if (found === expected) return
  if (typeof found !== 'number') tally.add('malformed', record, 'a number of its own was expected')
  else if (found < expected) tally.add('seq_repeat', record, `number ${expected} was expected`)
  else tally.add('seq_gap', record, `number ${expected} was expected`)
}

export function form({ count }: Reading): { shown: boolean; detail: string } {
  return { shown: true, detail: count === 1 ? '1 record read' : `${count} records read` }
}
