/**
 * Verifies a whole log as it streams by: form, chain, tree, signatures, completeness.
 *
 * Never throws for what a log contains: everything wrong is a finding, and every finding breaks its level.
 * Memory does not grow with the log. A payload is interpreted only where it is a reserved record whose
 * hash held. Everything read is attacker-controlled. Format: docs/format.md.
 * @module
 */
import { beginRun } from './begin.ts'
import { conclude } from './conclude.ts'
import { checkLine } from './entries.ts'
import { SwornError } from './errors.ts'
import type { Finding, FindingClass } from './findings.ts'
import { joinPart } from './join.ts'
import type { Part } from './part.ts'
import { createPruned, type Pruned } from './pruned.ts'
import type { RecordSigner } from './record-signer.ts'
import type { Report } from './report.ts'
import { createRun, GENESIS_START, isParsing, type OptionName, prepare, type Run, type VerifyOptions } from './run.ts'
import { createSplitter } from './splitter.ts'

const OPTIONS: Record<OptionName, true> = {
  primitives: true,
  hash: true,
  trust: true,
  checkpoints: true,
  witness: true,
  require: true,
  strict: true,
  inProgressTail: true,
  now: true,
  signedRecords: true,
  start: true,
  signerNotes: true,
  acknowledged: true,
  reserved: true,
}

/** A verification that is fed by its caller: the bytes of a log in order, as chunks or as parts checked elsewhere. */
export interface LogCheck {
  /** The sizes of the checkpoints beside the log: `checkPart` wants to know them. */
  readonly sizes: readonly number[]
  /** Every line is parsed: `checkPart` has to do it too, else its parts are not joined. */
  readonly parses: boolean
  /** The key that signs records, as far as the log was read: with it `checkPart` checks their signatures. Asked for again for each part. */
  readonly signer: RecordSigner | undefined
  /**
   * Takes leaf hashes of entries that are gone, from seq 0 on (`tree/L0`), before anything else. They need `reserved` beside
   * them: the log's first record, its key transitions.
   */
  feedLeaves(leaves: Uint8Array): void
  /** Takes the next bytes; they may be reused once the promise is settled. */
  feed(chunk: Uint8Array): Promise<void>
  /**
   * Takes the next part as checked by `checkPart`, with the same result as if its bytes were fed. The part is used up:
   * the memory of its leaves is given back once no record can ask for them any more.
   * @returns false when it does not follow on what was read, or only the bytes can tell: then nothing was taken, feed them
   */
  join(part: Part): Promise<boolean>
  /** Adds what the caller found around the log. `at` names the place, without a value of the log. */
  add(name: FindingClass, at: string, message: string, severity?: Finding['severity']): void
  /** Entries so far. */
  readonly size: number
  /** Bytes behind the last LF were fed. */
  hasTail(): boolean
  /** The report. Once, after all bytes. @param inProgressTail instead of the option of this name */
  finish(inProgressTail?: boolean): Promise<Report>
}

/**
 * Begins a verification.
 * @throws SwornError CONFIG_INVALID for an unknown option. `feed`, `join` and `finish` throw LEDGER_FOREIGN_FILE when the log
 *   names another format, PROOF_INVALID when `start` carries no frontier of its size
 */
export function createLogCheck(options: VerifyOptions): LogCheck {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(OPTIONS, name)) throw new SwornError('CONFIG_INVALID', 'unknown option', name)
  }
  const prepared = prepare(options)
  const splitter = createSplitter()
  let run: Run | undefined
  let pruned: Pruned | undefined
  const begin = async (line: Uint8Array): Promise<Run> => {
    run = await beginRun(options, prepared, pruned, line)
    return run
  }
  return {
    sizes: [...prepared.kept.keys()],
    parses: isParsing(options),
    get signer() {
      const key = run ? run.signed.chain?.last().key : options.trust
      const origin = run ? run.origin : options.trust?.name
      return key && origin !== undefined ? { origin, vkey: key.vkey } : undefined
    },
    feedLeaves(leaves) {
      pruned ??= createPruned(options.primitives, options.reserved ?? [], prepared.kept)
      pruned.feed(leaves)
    },
    async feed(chunk) {
      const { cursor } = splitter
      splitter.feed(chunk)
      while (splitter.next()) {
        const pending = checkLine(run ?? (await begin(cursor.bytes.subarray(cursor.start, cursor.end))), cursor)
        if (pending) await pending
      }
    },
    join: async (part) => !splitter.hasTail() && (await joinPart(run ?? (await begin(part.firstLine)), part)),
    add: prepared.findings.add,
    get size() {
      return run?.chain.next() ?? 0
    },
    hasTail: splitter.hasTail,
    async finish(inProgressTail = options.inProgressTail) {
      run ??= pruned ? await begin(new Uint8Array(0)) : createRun(options, prepared, options.start ?? GENESIS_START)
      if (splitter.hasTail() && !inProgressTail)
        run.findings.add('suffix_malformed', run.chain.next(), 'LF was expected at the end of the last line, which is torn')
      return conclude(run)
    },
  }
}

/**
 * Verifies a log.
 *
 * @param source the bytes of the log's files, in order; chunks of any size, which may be reused after each step
 * @returns every level with what holds, and all findings; pass it to `reportVerdict`
 * @throws SwornError LEDGER_FOREIGN_FILE when the log names another format; PROOF_INVALID when `start` carries no
 *   frontier of its size; CONFIG_INVALID for an unknown option; whatever `source` throws
 */
export async function verifyLog(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options: VerifyOptions): Promise<Report> {
  const check = createLogCheck(options)
  for await (const chunk of source) await check.feed(chunk)
  return check.finish()
}
