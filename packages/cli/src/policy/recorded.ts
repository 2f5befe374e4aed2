/** `sworn policy replay` and `init`: a policy and a ledger. @module */

import { findLedger, parseEntry, readLedger } from '@sworn/analyze/reading'
import { createLearner, createReplay, type RecordedEntry, type Replayed } from '@sworn/govern/policy'
import { SwornError } from '@sworn/verify'
import type { ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { ledgerPath } from '../reading/location.ts'
import { missing, type PolicyOptions, print, readPolicy, readRoles, readSurroundings } from './read.ts'

type Args = readonly string[]

type Ledger = ReturnType<typeof findLedger>

/** The named ledger, else the configured one. @throws SwornError as `findLedger` */
async function openNamed(path: string | undefined, io: Io): Promise<Ledger> {
  return findLedger(await ledgerPath(io, path), io.cwd)
}

/**
 * Entries of the ledger; a line in progress at the end is none yet.
 * @throws SwornError LINE_MALFORMED: what is learnt or compared over a hole would be wrong without a word
 */
async function* entriesOf(ledger: Ledger): AsyncGenerator<RecordedEntry> {
  for await (const line of readLedger(ledger)) {
    const entry = parseEntry(line)
    if (!entry && line.complete) throw new SwornError('LINE_MALFORMED', 'not an entry', `${line.file}:${line.number}`)
    if (entry) yield entry
  }
}

export async function replayPolicy([file, ledger]: Args, options: PolicyOptions, io: Io): Promise<ExitCode> {
  if (file === undefined) return missing('replay FILE [LEDGER] was expected')
  const { policy, source } = await readPolicy(file, options, io)
  const roles = await readRoles(file, options, io)
  const found = await openNamed(ledger, io)
  const replay = createReplay(policy, { ...(await readSurroundings(source, options, io, ledger)), ...(roles && { roles }) })
  const changed: Replayed[] = []
  let calls = 0
  for await (const entry of entriesOf(found)) {
    const replayed = await replay(entry)
    if (!replayed || (options.session !== undefined && replayed.call.session !== options.session)) continue
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
  for await (const entry of entriesOf(await openNamed(ledger, io)))
    if (options.session === undefined || entry.session_id === options.session) learner.take(entry)
  if (learner.calls === 0) io.say('warn', 'no tool call was found that was let through: the policy allows nothing')
  const about = `${learner.calls} calls of ${options.session === undefined ? 'all sessions' : `session ${options.session}`}`
  const text = learner.format('learnt', about)
  if (options.json) await print({ policy: text, calls: learner.calls }, io)
  else await io.out(text.trimEnd())
  return 0
}
