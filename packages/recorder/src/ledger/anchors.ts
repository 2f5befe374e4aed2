/**
 * Cosigned checkpoints on their way into the log: whoever had one cosigned leaves it in `.state/anchors/inbox/<name>`.
 *
 * Taken at each checkpoint and at each opening: moved to `.state/anchors/<name>`, then noted as log.anchor. After a crash
 * in between the note lies beside the log, where verification finds it, and the next one is noted again. What cannot be
 * read is left there: nothing about an anchor keeps an event from being recorded. Source: docs/format.md, "Reserved
 * records"; C2SP tlog-cosignature.md.
 * @module
 */
import { join } from 'node:path'
import { type NoteSignature, parseNote } from '@sworn/verify'
import { openCheckpoint } from '../signers/notes.ts'
import { linkReserved } from './commit.ts'
import type { Core } from './core.ts'
import { readFile } from './files.ts'

const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/
const MAX_BYTES = 64 << 10
/** At one look; the others wait for the next. */
const MAX_NOTES = 16
/** Cosignatures of one note. */
const MAX_RECEIPTS = 8

/** Links what is there; the caller writes. */
export function noteAnchors(core: Core): void {
  const folder = join(core.env.layout.state, 'anchors')
  for (const name of namesIn(core, join(folder, 'inbox'))) {
    const text = take(core, folder, name)
    const checkpoint = text === undefined ? undefined : openCheckpoint(text, core.identity.origin, core.epochs)
    if (!checkpoint || checkpoint.size > core.size) continue
    for (const { name: target, line: receipt } of receiptsOf(checkpoint.note, core.identity.origin))
      linkReserved(core, 'log.anchor', { target, size: checkpoint.size, receipt })
  }
}

function namesIn({ env: { ops } }: Core, inbox: string): readonly string[] {
  try {
    const names = ops.readdir(inbox).filter((name) => NAME.test(name) && !name.endsWith('.new')) // a draft is being written
    return names.slice(0, MAX_NOTES)
  } catch {
    return []
  }
}

/** Moved first: a note that stayed would be noted again and again. */
function take({ env: { ops } }: Core, folder: string, name: string): string | undefined {
  try {
    const from = join(folder, 'inbox', name)
    if ((ops.stat(from)?.size ?? 0) > MAX_BYTES) return undefined
    ops.rename(from, join(folder, name))
    return readFile(ops, join(folder, name))?.toString('utf8')
  } catch {
    return undefined
  }
}

/** Signatures of others than the log's own keys. */
function receiptsOf(note: string, origin: string): readonly NoteSignature[] {
  return parseNote(note)
    .signatures.filter(({ name }) => name !== origin)
    .slice(0, MAX_RECEIPTS)
}
