/**
 * Signed notes beside a log: in its directory, and in its signer's own memory.
 *
 * Whoever can write a file can put a note there, so what a note says counts only when a key of the log signed it;
 * any other is a remark about that note and changes no claim. The signer's memory lies where its keys do: there a
 * wrong signature is refused, a key that the log no longer names is not.
 * Source: C2SP signed-note.md (text is ignored unless verified); docs/format.md, findings.
 * @module
 */
import { concat, equalBytes, utf8 } from './bytes.ts'
import { type JsonObject, parseStrict } from './json.ts'
import { parseLine } from './line.ts'
import type { Beside, Run } from './run.ts'
import { checkSignedSize, findSigner, learnEpochs, type Signer } from './signed.ts'

const CLOSE = utf8('}')

/** Holds the notes that count against the log of `size` entries that was read. */
export async function checkNotes(run: Run, size: number): Promise<void> {
  const cut = run.beside.some((checkpoint) => checkpoint.size > size)
  const keys = cut ? await learnEpochs(run.signed, keptTransitions(run)) : run.signed.chain
  const judged: { checkpoint: Beside; signer: Signer }[] = []
  for (const checkpoint of run.beside) judged.push({ checkpoint, signer: await findSigner(run.p, keys, checkpoint.note, checkpoint.size) })
  const counting = judged.filter(counts).map(({ checkpoint }) => checkpoint)
  for (const checkpoint of counting) await compare(run, checkpoint, size)
  checkEnd(run, counting, size)
  checkFork(run, counting)
  // Last: a heap of strangers' notes pushes nothing else out of the list.
  for (const { checkpoint, signer } of judged) remark(run, checkpoint, signer)
}

/** A key of the log signed it, or it was read where such keys lie. */
function counts({ checkpoint, signer }: { checkpoint: Beside; signer: Signer }): boolean {
  return typeof signer !== 'string' || (checkpoint.own && (signer === 'signature_missing' || signer === 'unchecked'))
}

function remark({ findings, signed }: Run, { own, at }: Beside, signer: Signer): void {
  if (signer === 'unchecked' && !own) signed.unchecked += 1
  else if (signer === 'signature_missing' && !own)
    findings.add(signer, at, 'a signature by a key of this log was expected; what the note says is left aside', 'warning')
  else if (signer === 'signature_invalid' || signer === 'key_epoch_violation')
    findings.add(signer, at, 'a signature by the key of its epoch was expected; what the note says is left aside')
}

/** The origin, and the root where the tree knows one of that size. */
async function compare(run: Run, { note, origin, size, root, at, own }: Beside, end: number): Promise<void> {
  if (origin !== (run.origin ?? origin)) {
    run.findings.add('state_invalid', at, 'the origin of this log was expected')
    return
  }
  const known = size > end ? undefined : run.roots?.at(size)
  if (!known) return
  if (!equalBytes(known, root)) run.findings.add(own ? 'fork' : 'root_mismatch', at, 'the root of the checkpoint was expected')
  else if (await checkSignedSize(run.signed, note, size, at)) await run.anchors.see(note, size, at)
}

/** Of the notes beyond the end the largest counts: the others say the same of less. */
function checkEnd({ findings, origin }: Run, counting: readonly Beside[], size: number): void {
  const beyond = counting.filter((checkpoint) => checkpoint.size > size && checkpoint.origin === (origin ?? checkpoint.origin))
  for (const [name, own] of [
    ['rollback', true],
    ['truncated_below_checkpoint', false],
  ] as const) {
    const last = beyond.findLast((checkpoint) => checkpoint.own === own)
    if (last) findings.add(name, last.at, `${last.size} entries were expected, found ${size}`)
  }
}

/** Two notes of one size and different roots: one of them belongs to another history. */
function checkFork({ findings }: Run, counting: readonly Beside[]): void {
  counting.forEach((checkpoint, i) => {
    const next = counting[i + 1]
    if (next?.size === checkpoint.size && next.origin === checkpoint.origin && !equalBytes(next.root, checkpoint.root))
      findings.add('fork', checkpoint.at, 'one root of this size was expected, found two')
  })
}

/** The notes of key transitions among the kept records: the keys of epochs that a cut log does not reach. Unverified. */
function keptTransitions({ options }: Run): string[] {
  return (options.reserved ?? []).flatMap((line) => {
    try {
      const { event_type: type, note } = parseStrict(concat(parseLine(line).body, CLOSE)) as JsonObject // the first byte is {
      return type === 'log.key_transition' && typeof note === 'string' ? [note] : []
    } catch {
      return [] // no line, so no key from it
    }
  })
}
