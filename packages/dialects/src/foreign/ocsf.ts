/**
 * OCSF events with `record_integrity` attestations, as our own export writes them: fingerprints and their chain.
 * Source: OCSF 1.9.0-dev, profile record_integrity (spec interop §3.5).
 * @module
 */
import { isJsonObject, type JsonObject, toHex } from '@sworn/verify'
import { own, part } from '../codecs/values.ts'
import { ocsfHashInput } from '../formats/ocsf.ts'
import { equalJson } from '../native.ts'
import { form } from './chains.ts'
import { readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport, toReport } from './report.ts'

export async function checkOcsf(bytes: Uint8Array, { primitives }: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bytes, tally)
  let previous: JsonObject | undefined
  for (const { number, value } of records) {
    const attestation = attestationOf(value)
    const input = ocsfHashInput(value)
    const fingerprint = part(attestation, 'fingerprint')
    if (!input || fingerprint.value !== toHex(primitives.hash('sha256', input)))
      tally.add('hash_mismatch', number, 'the event does not match its fingerprint')
    const named = own(part(attestation, 'prev_event'), 'fingerprint')
    if (!equalJson(named, previous))
      tally.add('link_mismatch', number, previous ? 'prev_event is not the event before' : 'a first event without prev_event was expected')
    previous = fingerprint
  }
  const chain = { shown: true, detail: 'every event whole, in this order; unkeyed' }
  return toReport('ocsf', records.count, tally, { bytes: form(records), chain }, [
    'The attestations are not signed: whoever can write the file can make them anew.',
    'Events removed at the end leave no trace.',
  ])
}

function attestationOf(event: JsonObject): JsonObject {
  const [first] = Array.isArray(event.attestation_list) ? event.attestation_list : []
  return isJsonObject(first) ? first : {}
}
