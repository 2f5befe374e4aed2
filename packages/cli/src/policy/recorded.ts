/** `sworn policy replay` and `init`: a policy and a ledger. @module */
import { createLearner, createReplay, type RecordedEntry, type Replayed } from '@sworn/govern/policy'
import { SwornError } from '@sworn/verify'
import type { ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { parseEntry } from '../reading/entry.ts'
import { findLedger } from '../reading/layout.ts'
import { readLedger } from '../reading/lines.ts'
import { ledgerPath } from '../reading/location.ts'
import { missing, type PolicyOptions, print, readPolicy } from './read.ts'

type Args = readonly string[]

/**
 * Entries of the ledger, of one session when it is named; a line in progress at the end is none yet.
 * @throws SwornError LINE_MALFORMED: what is learnt or compared over a hole would be wrong without a word
 */
async function* entriesOf(path: string | undefined, { session }: PolicyOptions, io: Io): AsyncGenerator<RecordedEntry> {
  for await (const line of readLedger(findLedger(await ledgerPath(io, path), io.cwd))) {
    const entry = parseEntry(line)
    if (!entry && line.complete) throw new SwornError('LINE_MALFORMED', 'not an entry', `${line.file}:${line.number}`)
    if (entry && (session === undefined || entry.session_id === session)) yield entry
  }
}

export async function replayPolicy([file, ledger]: Args, options: PolicyOptions, io: Io): Promise<ExitCode> {
  if (file === undefined) return missing('replay FILE [LEDGER] was expected')
  const { policy } = await readPolicy(file, options, io)
  const replay = createReplay(policy)
  const changed: Replayed[] = []
  let calls = 0
  for await (const entry of entriesOf(ledger, options, io)) {
    const replayed = await replay(entry)
    if (!replayed) continue
    calls++
    if (!replayed.changed) continue
    changed.push(replayed)
    if (!options.json) await print([lineOf(replayed)], io)
  }
  if (options.json) await print({ calls, changed: changed.map(toJson) }, io)
  else await print([`${calls} calls, ${changed.length} would be decided differently`], io)
  return changed.length === 0 ? 0 : 1
}

function lineOf({ call, verdict, redacted }: Replayed): string {
  const note = redacted ? ' (its arguments were redacted)' : ''
  return `seq ${call.seq}  ${call.name}  ${call.decision} → ${verdict.decision}  ${verdict.reasonCode}: ${verdict.reason}${note}`
}

function toJson({ call, verdict, redacted }: Replayed): object {
  const { seq, name, decision } = call
  const { reasonCode: reason_code, matchedRule: matched_rule, reason } = verdict
  return { seq, name, before: decision, after: verdict.decision, reason_code, matched_rule, reason, redacted }
}

export async function initPolicy([ledger]: Args, options: PolicyOptions, io: Io): Promise<ExitCode> {
  const learner = createLearner()
  for await (const entry of entriesOf(ledger, options, io)) learner.take(entry)
  if (learner.calls === 0) io.say('warn', 'no tool call was found that was let through: the policy allows nothing')
  const about = `${learner.calls} calls of ${options.session === undefined ? 'all sessions' : `session ${options.session}`}`
  const text = learner.format('learnt', about)
  if (options.json) await print({ policy: text, calls: learner.calls }, io)
  else await io.out(text.trimEnd())
  return 0
}
