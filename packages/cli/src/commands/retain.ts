/**
 * `sworn retain`: drops what is older than it must be kept, whole segments from the oldest on; legal holds.
 * @module
 */
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { findLedger, type LedgerFiles } from '@sworn/analyze/reading'
import {
  createHoldTest,
  createRetention,
  type Hold,
  planRetention,
  type RetentionPlan,
  readHolds,
  type Stop,
} from '@sworn/analyze/retention'
import type { LoadedConfig, PackForm } from '@sworn/recorder'
import { reportVerdict, SwornError } from '@sworn/verify'
import { defineCommand, type ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { runHold } from '../operator/hold.ts'
import { type Operator, WAIT_FLAG, withLedger } from '../operator/with-ledger.ts'
import { checkLedger } from '../reading/check.ts'
import { loadFor } from '../reading/location.ts'
import { readOpening } from '../reading/opening.ts'
import { escapeText } from '../text/escape.ts'

const MAX_POLICY = 1000

export const retain = defineCommand({
  args: '[PATH] | hold list [PATH] | hold add NAME [PATH] | hold release NAME [PATH]',
  maxArgs: 4,
  flags: {
    'dry-run': { type: 'boolean', about: 'say what would go, change nothing' },
    unanchored: { type: 'boolean', about: 'drop although no anchor holds the ledger: whoever has the key could deny what was there' },
    where: { type: 'string', value: 'FILTER', about: 'of hold add: the entries that are held, as for query' },
    reason: { type: 'string', value: 'TEXT', about: 'of hold add and release: why, for the record' },
    ...WAIT_FLAG,
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: 'sworn retain ./audit --dry-run',
  notes: [
    'How long: audit.retention_days, and audit.retention with classes by event type, risk or framework; the longest counts. Without them every entry is kept.',
    'A closed segment goes when all of it is old enough and nothing in it is held; tree, reserved records and log.prune stay, and the ledger verifies. It is verified first: what does not hold is not dropped.',
    'Who records the ledger goes on: that process drops and packs, and appends nothing meanwhile. Nothing drops by itself: let cron or a timer run it. Exit 1: the ledger does not hold.',
  ],
  async run(args, flags, io) {
    if (args[0] === 'hold') {
      const [, action = 'list', ...rest] = args
      const [name, path] = action === 'list' ? [undefined, rest[0]] : rest
      const config = await loadFor(io, { log_path: path })
      const located = await locate(config, io).catch((e) => {
        throw name !== undefined && path !== undefined && isLedger(name, io) ? turned(action, e) : e
      })
      return await runHold(action, { name, ...flags }, located, io)
    }
    if (args.length > 1) throw new SwornError('USAGE', 'one PATH, or hold with list, add or release was expected')
    const config = await loadFor(io, { log_path: args[0] })
    return await retainNow(await locate(config, io), flags, io)
  },
})

function isLedger(path: string, io: Io): boolean {
  try {
    return findLedger(path, io.cwd) !== undefined
  } catch {
    return false
  }
}

/** A ledger stands where the name of the hold does. */
function turned(action: string, cause: unknown): SwornError {
  return new SwornError('USAGE', `hold ${action} NAME PATH was expected, a ledger and then a name were found`, '', { cause })
}

export interface Located {
  readonly config: LoadedConfig
  readonly files: LedgerFiles
  /** `keys/<log_id>`. */
  readonly keys: string
}

async function locate(config: LoadedConfig, io: Io): Promise<Located> {
  const files = findLedger(config.values.log_path, io.cwd)
  const { logId } = await readOpening(files)
  if (!logId) throw new SwornError('LEDGER_FOREIGN_FILE', 'a ledger with its log.open was expected', files.path)
  return { config, files, keys: join(config.directories.state, 'keys', logId) }
}

interface RetainFlags {
  readonly 'dry-run': boolean
  readonly unanchored: boolean
  readonly wait: string | undefined
  readonly json: boolean
}

async function retainNow(located: Located, flags: RetainFlags, io: Io): Promise<ExitCode> {
  const { config, files, keys } = located
  const { retention_days: days, retention: block } = config.values
  if (days === undefined && !block?.classes?.length && !block?.compress)
    throw new SwornError('USAGE', 'no retention is configured, so every entry is kept; set audit.retention_days or audit.retention')
  const retention = createRetention(config.values)
  const holds = readHolds(keys)
  const planWith = (held: readonly Hold[]) => planRetention(files, { retention, heldBy: createHoldTest(held), now: io.now() })
  let plan = await planWith(holds)
  if (flags['dry-run']) return await show(plan, { json: flags.json, done: false }, io)
  if (plan.segments.length > 0 && !flags.unanchored)
    throw new SwornError('USAGE', 'no anchor holds this ledger; --unanchored says that it may be pruned all the same')
  const broken = plan.segments.length > 0 && (await findBreak(located, io))
  if (broken) {
    await io.out(flags.json ? JSON.stringify({ ok: false, verdict: broken }) : escapeText(`nothing was dropped: ${broken}`))
    return 1
  }
  if (plan.segments.length === 0 && !block?.compress) return await show(plan, { json: flags.json, done: true }, io)
  const archive = block?.archive && join(block.archive, basename(keys)) // one setting may be of many ledgers, and their segments have the same names
  const policy = { policy: retention.policy.slice(0, MAX_POLICY), unanchored: true, ...(archive && { archivedTo: archive }) }
  const done = await withLedger(config, flags.wait, io, async (operator) => {
    // To verify, and to wait for who records, takes time: a hold that was added meanwhile counts, and what one that was released would let go was not verified.
    const now = readHolds(keys)
    const again = isDeepStrictEqual(now, holds) ? plan : await planWith(now)
    if (again.upTo < plan.upTo) plan = again
    const { prunedAt } = plan.segments.length > 0 ? await operator.operate({ kind: 'prune', upTo: plan.upTo, ...policy }) : {}
    return { prunedAt, packed: await packAll(operator, block?.compress, io) }
  })
  return await show(plan, { json: flags.json, done: true, ...done, ...(archive && { archive }) }, io)
}

/** One segment a step, so that who records waits for one. */
async function packAll({ operate }: Operator, form: PackForm | undefined, { signal }: Io): Promise<number> {
  if (form === undefined) return 0
  for (let packed = 0; ; packed++) {
    signal.throwIfAborted()
    const done = await operate({ kind: 'pack', form })
    if (!done.packed) return packed
  }
}

/** Pruning would take the evidence of a change away with what was changed. */
async function findBreak({ config, files }: Located, io: Io): Promise<string | undefined> {
  const report = await checkLedger(files, { strict: false, now: io.now(), cwd: io.cwd, state: config.directories.state, signal: io.signal })
  const { exit, lastLine } = reportVerdict(report)
  return exit === 0 ? undefined : lastLine
}

interface Done {
  readonly json: boolean
  readonly done: boolean
  /** seq of log.prune. */
  readonly prunedAt?: number | undefined
  readonly packed?: number
  readonly archive?: string
}

async function show({ segments, upTo, stop }: RetentionPlan, { json, done, prunedAt, packed = 0, archive }: Done, io: Io): Promise<0> {
  if (json) {
    await io.out(
      JSON.stringify({ ok: true, dropped: done, segments: segments.length, below: upTo, log_prune: prunedAt, packed, archive, stop }),
    )
    return 0
  }
  const what = `${segments.length} ${segments.length === 1 ? 'segment' : 'segments'}`
  const from = segments[0]?.firstSeq
  if (from === undefined) await io.out('nothing is old enough to be dropped')
  else
    await io.out(
      `seq ${from} to ${upTo - 1} (${what}) ${done ? 'dropped' : 'would be dropped'}${prunedAt === undefined ? '' : `, log.prune at seq=${prunedAt}`}`,
    )
  if (archive && done && from !== undefined) await io.out(escapeText(`archived in ${archive}`))
  if (packed > 0) await io.out(`${packed} closed ${packed === 1 ? 'segment' : 'segments'} packed`)
  if (stop) await io.out(escapeText(`from seq ${stop.firstSeq} on kept: ${reasonOf(stop)}`))
  return 0
}

function reasonOf(stop: Stop): string {
  if (stop.why === 'age') return `not all of the segment is old enough before ${stop.until}`
  if (stop.why === 'hold') return `seq ${stop.seq} is under the legal hold ${stop.hold}`
  if (stop.why === 'active') return 'the active segment always stays'
  return stop.why === 'unreadable' ? 'a line of the segment cannot be read' : 'something in the segment is kept for ever'
}
