/**
 * `sworn query`: entries that match, as table, tree, JSON, JSON Lines or CSV; from the index, or from every line.
 * @module
 */
import type { Found, Source } from '@sworn/analyze'
import { findLedger, type LedgerFiles } from '@sworn/analyze/reading'
import type { OpenSource } from '@sworn/analyze/source'
import { SwornError } from '@sworn/verify'
import type { Values } from '../frame/command.ts'
import { defineCommand } from '../frame/command.ts'
import { printFailure } from '../frame/failure.ts'
import type { Io } from '../frame/io.ts'
import { printCounts, type Target } from '../querying/counts.ts'
import { openOutput } from '../querying/output.ts'
import { printers } from '../querying/print.ts'
import { formatOf, formatPlace, type Part, QUESTION_FLAGS, toFilter, toParts } from '../querying/question.ts'
import { ledgerPath } from '../reading/location.ts'
import { createUnreadable, type UnreadableLines } from '../reading/unreadable.ts'
import { createProgress } from '../text/progress.ts'

const FLAGS = {
  ...QUESTION_FLAGS,
  verified: { type: 'boolean', about: 'print an entry only when it is proven to stand in the newest signed checkpoint' },
  key: { type: 'string', value: 'VKEY_OR_PEM', about: 'the key you trust for --verified, as text or as a file' },
  output: { type: 'string', short: 'o', value: 'FILE', about: 'write to FILE instead of stdout' },
  utc: { type: 'boolean', about: 'times of table and tree in UTC' },
  'fail-empty': { type: 'boolean', about: 'exit 1 when nothing matches' },
  'no-index': { type: 'boolean', about: 'read every line; audit.db is neither made nor used' },
} as const

export const query = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: FLAGS,
  example: 'sworn query --since 1h --decision deny --format jsonl',
  notes: [
    'Answers from audit.db beside the ledger, brought up to date first; every line is read where there can be no index, with the same answers. Delete audit.db, and the next query makes it again.',
    'Shown as stored, not verified, unless --verified: then only what the newest signed checkpoint covers, and the first entry that cannot be proven ends the output, exit 1. jsonl is the stored lines, byte for byte.',
    'json is one object: {"entries":[…],"count":N,"unreadable":N,"verified":false,"next":"PLACE"}; with --count-by {"counts":[…]}.',
    'tree: one line an action, with decision, approval, outcome and duration; an allowed call without an end reads "outcome unknown".',
  ],
  async run([path], flags, io) {
    checkTogether(flags)
    const filter = await toFilter(flags, io.now())
    const parts = toParts(flags, filter)
    const files = findLedger(await ledgerPath(io, path), io.cwd)
    const unreadable = createUnreadable(io)
    const target = { output: await openOutput(flags.output, files, io), width: io.isTTY ? io.columns : 200 }
    const check = flags.verified ? await openCheck(files, flags.key, io) : undefined // before anything is indexed for it
    const source = await openSourceFor(files, flags, io, unreadable).catch((e: unknown) => {
      check?.close()
      throw e
    })
    try {
      const count = await (flags['count-by'].length > 0
        ? printCounts(source, filter, flags, target)
        : printFound(source, { check, parts, flags, io, unreadable }, target))
      await target.output.close()
      unreadable.hint()
      return unreadable.count > 0 || (flags['fail-empty'] && count === 0) ? 1 : 0
    } catch (e) {
      if (!SwornError.is(e, 'PROOF_INVALID')) throw e
      await printFailure(e, io)
      return 1
    } finally {
      check?.close()
      source.close()
    }
  },
})

type QueryFlags = Values<typeof FLAGS>

/** @throws SwornError USAGE for flags of which one would be ignored */
function checkTogether(flags: QueryFlags): void {
  const counts = flags['count-by'].length > 0
  const ignored =
    [flags.around, flags.sort, flags.limit, flags.after].some((value) => value !== undefined) || flags.reverse || flags.verified
  if (counts && ignored) throw new SwornError('USAGE', 'filters only were expected with --count-by', '--count-by')
  if (counts && flags.format === 'tree') throw new SwornError('USAGE', 'table, json, jsonl or csv was expected with --count-by', '--format')
  if (flags.json && flags.format !== undefined && flags.format !== 'json')
    throw new SwornError('USAGE', 'one of both was expected', '--json and --format')
  if (flags.key !== undefined && !flags.verified) throw new SwornError('USAGE', '--verified was expected with --key', '--key')
}

type Check = Awaited<ReturnType<typeof openCheck>>

async function openCheck(files: LedgerFiles, key: string | undefined, io: Io) {
  const { openTrustedCheck } = await import('../querying/verified.ts')
  return await openTrustedCheck(files, key, io)
}

async function openSourceFor(files: LedgerFiles, flags: QueryFlags, io: Io, unreadable: UnreadableLines): Promise<OpenSource> {
  const { openSource } = await import('@sworn/analyze/source')
  const progress = createProgress(io, flags.quiet)
  const options = {
    index: !flags['no-index'],
    signal: io.signal,
    onProgress: progress.show,
    onNotice: (text: string) => io.say('info', text),
    onUnreadable: unreadable.tell,
  }
  return await openSource(files, options).finally(progress.clear)
}

interface Asked {
  readonly check: Check | undefined
  readonly parts: readonly Part[]
  readonly flags: QueryFlags
  readonly io: Io
  readonly unreadable: { readonly count: number }
}

/** @returns how many were printed */
async function printFound(source: Source, { check, parts, flags, io, unreadable }: Asked, { output, width }: Target): Promise<number> {
  const format = formatOf(flags)
  const { onlyVerified } = await import('../querying/verified.ts')
  let count = 0
  let last: Found | undefined
  let isThere = flags.around === undefined
  async function* counted(): AsyncGenerator<Found> {
    const found = findParts(source, check ? parts.map((part) => below(part, check.size)) : parts)
    for await (const one of check ? onlyVerified(found, check) : found) {
      count++
      last = one
      isThere ||= one.seq === Number(flags.around)
      yield one
    }
  }
  const ending = () => ({
    unreadable: unreadable.count,
    verified: check !== undefined,
    ...(last && parts.length === 1 && parts[0]?.limit === count && { next: formatPlace(last, flags.sort) }),
  })
  await printers[format](counted(), output.write, { width, utc: flags.utc, now: io.now(), ending })
  if (!isThere)
    io.say('warn', `seq ${flags.around} is not among ${check ? 'what is verified and matches' : 'what matches'}; its neighbours are shown`)
  const said = check
    ? `each verified in the checkpoint of size ${check.size}; entries behind it are not shown`
    : 'shown as stored, `sworn verify` checks them'
  if (check || format === 'table' || format === 'tree') io.say('info', `${count} found; ${said}`)
  return count
}

/** What a checkpoint covers. */
function below(part: Part, size: number): Part {
  return { ...part, filter: { ...part.filter, to: Math.min(size, part.filter.to ?? size) } }
}

/** So many entries are held to be turned round; more are looked up twice. */
const MAX_HELD = 1000

/** Lines that are looked at as they come, by all that print them. */
async function* findParts(source: Source, parts: readonly Part[]): AsyncGenerator<Found> {
  for (const part of parts) {
    if (!part.newest) yield* source.find({ ...part, passing: true })
    else if ((part.limit ?? 0) <= MAX_HELD) yield* (await hold(source.find(part))).toReversed()
    else yield* findNewest(source, part)
  }
}

async function hold(found: AsyncIterable<Found>): Promise<readonly Found[]> {
  const held: Found[] = []
  for await (const one of found) held.push(one)
  return held
}

/** Where the newest begin first, then they: what is written meanwhile is not one of them. */
async function* findNewest(source: Source, part: Part): AsyncGenerator<Found> {
  let [from, to] = [0, 0]
  for await (const { seq } of source.find({ ...part, passing: true })) {
    from = seq
    to ||= seq + 1
  }
  yield* source.find({ filter: { ...part.filter, from, to }, order: { sort: 'seq', descending: false }, passing: true })
}
