/**
 * `sworn erase`: what was committed for one subject becomes unreadable for good; the log stays as it is and says so.
 * @module
 */
import { join } from 'node:path'
import { findLedger, type LedgerFiles } from '@sworn/analyze/reading'
import { type ErasureDone, type ErasurePlan, planErasure } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { findIdentity } from '../open-recorder.ts'
import { derivedStores, type Forgotten, forgetIn } from '../operator/derived.ts'
import { checkNotHeld } from '../operator/held.ts'
import { WAIT_FLAG, withLedger } from '../operator/with-ledger.ts'
import { loadFor } from '../reading/location.ts'
import { readOpening } from '../reading/opening.ts'
import { escapeText } from '../text/escape.ts'

const MAX_CHARS = 1024
const BEYOND = ['copies of the key directory and of this disk', 'lines, exports and sinks that left this machine']

export const erase = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    subject: { type: 'string', value: 'NAME', about: 'whose data, as the events named it' },
    reason: { type: 'string', value: 'TEXT', about: 'the ground, for the record: it must not name the subject' },
    request: { type: 'string', value: 'ID', about: 'the request it answers' },
    actor: { type: 'string', value: 'USER', about: 'who erases; default: you' },
    'dry-run': { type: 'boolean', about: 'say what would go, change nothing' },
    ...WAIT_FLAG,
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: 'sworn erase --subject alice@example.com --reason "GDPR Art. 17" --request R-2026-17',
  notes: [
    'Erases what `commit` rules of audit.redact kept for the subject: its key is destroyed, its rows leave the vault, the index is built anew. Chain, tree and every proof hold as before.',
    'What stands in the clear in a line stays: it is counted and listed. A second run changes nothing. What a legal hold keeps is refused, exit 2: `sworn retain hold release` first.',
    'Who records the ledger goes on: that process erases, and appends nothing meanwhile. Exit 0: done, or nothing was there. 2: usage. 3: the ledger is held by a process that does not answer, or cannot be read.',
  ],
  async run([path], flags, io) {
    const { subject, reason: basis, request: requestId } = flags
    if (!subject || !basis || !requestId) throw new SwornError('USAGE', '--subject, --reason and --request were expected')
    const config = await loadFor(io, { log_path: path })
    const actor = flags.actor ?? findIdentity(config, io.env, false).user ?? 'unknown'
    checkWords(subject, { basis, requestId, actor })
    const files = findLedger(config.values.log_path, io.cwd)
    const plan = planErasure({ path: files.path, home: config.directories.state }, subject)
    await checkNotHeld(
      files,
      await keysOf(files, config.directories.state),
      plan.targets.map(({ seq }) => seq),
    )
    if (flags['dry-run'] || isNothing(plan)) return await show({ plan, recorded: [], erased: false }, files.path, flags.json, io)
    const forgotten = await forgetIn(derivedStores(files))
    const request = { subject, basis, requestId, actor, ...forgotten }
    const { erasure } = await withLedger(config, flags.wait, io, ({ operate }) => operate({ kind: 'erase', ...request }))
    if (!erasure) throw new SwornError('APPEND_UNKNOWN', 'the recorder did not say what it erased', files.path)
    return await show({ plan: erasure, recorded: erasure.recorded, erased: true, forgotten }, files.path, flags.json, io)
  },
})

async function keysOf(files: LedgerFiles, state: string): Promise<string> {
  const { logId } = await readOpening(files)
  if (!logId) throw new SwornError('LEDGER_FOREIGN_FILE', 'a ledger with its log.open was expected', files.path)
  return join(state, 'keys', logId)
}

/** The record must not say what it erases. */
function checkWords(subject: string, words: Readonly<Record<'basis' | 'requestId' | 'actor', string>>): void {
  if (subject.length > MAX_CHARS) throw new SwornError('USAGE', `a subject of at most ${MAX_CHARS} characters was expected`)
  const names = { basis: '--reason', requestId: '--request', actor: '--actor' } as const
  for (const [name, text] of Object.entries(words)) {
    const flag = names[name as keyof typeof names] // its own keys
    if (text.length > MAX_CHARS) throw new SwornError('USAGE', `at most ${MAX_CHARS} characters were expected`, flag)
    const saysIt = name !== 'actor' && text.toLowerCase().includes(subject.toLowerCase()) // who erases may be who is erased
    if (saysIt) throw new SwornError('USAGE', 'a text that does not name the subject was expected: it stays in the log', flag)
  }
}

function isNothing({ targets, rows, key, quarantined }: ErasurePlan): boolean {
  return !key && rows === 0 && quarantined === 0 && targets.length === 0
}

interface Outcome {
  readonly plan: ErasurePlan & Partial<Pick<ErasureDone, 'targetCount'>>
  readonly recorded: readonly number[]
  readonly erased: boolean
  readonly forgotten?: Forgotten
}

async function show({ plan, recorded, erased, forgotten }: Outcome, path: string, json: boolean, io: Io): Promise<0> {
  const { targets, rows, key, quarantined, inClear, targetCount = targets.length } = plan
  const { confirmed = [], unconfirmed = [] } = forgotten ?? {}
  if (json) {
    const not_erased = { in_clear: { records: inClear.records, first: inClear.first }, unconfirmed, beyond_reach: BEYOND }
    await io.out(
      JSON.stringify({ ok: true, erased, targets, target_count: targetCount, rows, key, quarantined, recorded, confirmed, not_erased }),
    )
    return 0
  }
  const line = (text: string) => io.out(escapeText(text))
  const would = erased ? '' : 'would be '
  if (isNothing(plan)) await line(`nothing of this subject is committed in ${path}; nothing was changed`)
  else {
    const said = recorded.length > 0 ? ` (log.erasure at seq=${recorded.join(', ')})` : ''
    await line(`${count(targetCount, 'committed value')} ${would}erased in ${path}${said}`)
    await line(
      `key ${key ? `${would}destroyed` : 'already gone'}, ${count(rows, 'row')} of the vault and ${count(quarantined, 'torn tail')} ${would}removed`,
    )
    for (const name of confirmed) await line(`${name}: forgotten`)
  }
  for (const name of unconfirmed) await line(`NOT erased: ${name} could not be reached`)
  if (inClear.records > 0) {
    const shown = inClear.first.slice(0, 10).join(', ')
    await line(
      `NOT erased: ${count(inClear.records, 'record')} with the subject's name in the clear (seq ${shown}${inClear.records > 10 ? ', …' : ''})`,
    )
  }
  if (!isNothing(plan)) for (const place of BEYOND) await line(`beyond reach: ${place}`)
  return 0
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
