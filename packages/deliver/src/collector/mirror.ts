/**
 * One ledger's mirror at a collector: takes lines and checkpoints one request after another, and cosigns what it holds.
 *
 * A request counts whole or not at all. After any failure of the disk everything in memory is dropped and read again.
 * @module
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { equalBytes, parseCheckpoint, parseLine, parseNote, SwornError } from '@sworn/verify'
import type { Cosigner } from './cosigner.ts'
import { beginState, type MirrorState } from './state.ts'
import type { MirrorStore } from './store.ts'
import { beginDraft, checkSigned, type Draft, frontierAt, leafOfHeld, takeLine } from './take.ts'

export interface Standing {
  readonly size: number
  /** Of the last entry, hex. */
  readonly entryHash: string
  /** The newest checkpoint that was checked, with our signature. */
  readonly cosigned?: { readonly size: number; readonly note: string; readonly line: string } | undefined
}

export interface Mirror {
  /** Undefined when nothing came yet. */
  standing(producer: string): Promise<Standing | undefined>
  /** @param body lines, each with LF. @throws SwornError as `takeLine`; ACCESS_DENIED for another producer, NOTE_UNVERIFIED for another key */
  take(producer: string, body: Buffer): Promise<Standing>
  /** The producer's newest checkpoint. @throws SwornError MIRROR_ROLLBACK, MIRROR_FORK, NOTE_*, CHECKPOINT_MALFORMED, ACCESS_DENIED */
  present(producer: string, note: string): Promise<Standing>
}

/** Lines that are checked without a pause: some milliseconds. */
const TURN = 500
/** Entries of one request that may be here already; the smallest line has 200 bytes. */
const MAX_HELD = 1 << 18

interface Open {
  readonly state: MirrorState
  readonly unsigned: readonly Uint8Array[]
}

export interface MirrorOptions {
  readonly logId: string
  readonly store: MirrorStore
  readonly cosigner: Cosigner
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Of the first lines that are taken; absent: whatever key a first line names is believed. */
  readonly keys?: ReadonlySet<string> | undefined
}

export function createMirror({ logId, store, cosigner, now, keys }: MirrorOptions): Mirror {
  let last: Promise<unknown> = Promise.resolve()
  let open: Open | undefined

  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = last.then(act)
    last = next.catch(() => {})
    return next
  }

  async function read(producer: string): Promise<Open | undefined> {
    if (store.isShared) open = undefined
    const state = open?.state ?? (await store.read())
    if (!state) return undefined
    if (state.producer !== producer) throw new SwornError('ACCESS_DENIED', 'the token that this mirror was begun with was expected')
    checkKey(state)
    open ??= { state, unsigned: await store.leaves(state.signed?.size ?? 0, state.size) }
    return open
  }

  /** Of the first line; those that came after it were signed by the one before. @throws SwornError NOTE_UNVERIFIED */
  function checkKey({ epochs: [first] }: MirrorState): void {
    if (first && keys?.has(first.vkey) === false)
      throw new SwornError('NOTE_UNVERIFIED', 'a ledger that begins with one of the keys named here was expected', 'seq=0')
  }

  /** Lets go of what is in memory when the store failed. */
  async function keep(draft: Draft, lines: readonly Buffer[]): Promise<Standing> {
    try {
      await store.append({ lines, cuts: draft.cuts, leaves: draft.leaves, state: draft.state })
      const isNew = draft.state.signed?.size !== open?.state.signed?.size
      open = { state: draft.state, unsigned: draft.unsigned }
      const standing = standingOf(draft.state)
      if (isNew && standing.cosigned)
        await store.writeCheckpoint(`${standing.cosigned.note}${standing.cosigned.line}\n`, standing.cosigned.size)
      return standing
    } catch (e) {
      open = undefined
      throw e
    }
  }

  function standingOf({ size, head, signed }: MirrorState): Standing {
    const cosigned = signed && { size: signed.size, note: signed.note, line: cosigner.cosign(parseNote(signed.note).text, now()) }
    return { size, entryHash: head, cosigned }
  }

  return {
    standing: (producer) =>
      inTurn(async () => {
        const found = await read(producer)
        return found && standingOf(found.state)
      }),
    take: (producer, body) =>
      inTurn(async () => {
        const { state, unsigned } = (await read(producer)) ?? { state: beginState(producer, logId), unsigned: [] }
        const draft = beginDraft(state, unsigned)
        const fresh = await skipHeld(splitLines(body), state, store)
        for (const [n, line] of fresh.entries()) {
          await takeLine(draft, line)
          if (n % TURN === TURN - 1) await nextTurn() // others of this server get theirs
        }
        if (fresh.length === 0) return standingOf(state)
        checkKey(draft.state)
        draft.state = { ...draft.state, frontier: toText(draft) }
        return await keep(draft, fresh)
      }),
    present: (producer, note) =>
      inTurn(async () => {
        const found = await read(producer)
        if (!found) throw new SwornError('MIRROR_GAP', 'the lines of the ledger were expected first', 'seq=0')
        const { state, unsigned } = found
        const { origin, size, root } = parseCheckpoint(parseNote(note).text)
        if (origin !== state.origin) throw new SwornError('MIRROR_FORK', 'a checkpoint of this ledger was expected')
        if (size > state.size) return standingOf(state) // its lines are still to come, and maybe the key that signed it
        await checkSigned(state, note, size)
        const signed = state.signed?.size ?? 0
        if (size < signed) throw new SwornError('MIRROR_ROLLBACK', `a checkpoint of at least ${signed} entries was expected, found ${size}`)
        if (!equalBytes(frontierAt({ state, unsigned }, size).root(), root))
          throw new SwornError('MIRROR_FORK', `the root of size ${size} was expected`)
        return standingOf(state)
      }),
  }
}

const toText = ({ frontier }: Draft) => frontier.hashes().map((hash) => Buffer.from(hash).toString('base64'))

/** @throws SwornError LINE_MALFORMED for half a line */
function splitLines(body: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  let at = 0
  for (let end = body.indexOf(10); end >= 0; end = body.indexOf(10, at)) {
    lines.push(body.subarray(at, end))
    at = end + 1
  }
  if (at < body.length) throw new SwornError('LINE_MALFORMED', 'LF was expected at the end of the last line')
  return lines
}

/** The lines that are new. Those that are here already must be the same. @throws SwornError MIRROR_FORK, LINE_MALFORMED */
async function skipHeld(lines: readonly Buffer[], state: MirrorState, store: MirrorStore): Promise<readonly Buffer[]> {
  const parsed = lines.map((line) => parseLine(line))
  const fresh = parsed.findIndex(({ seq }) => seq >= state.size)
  const held = fresh < 0 ? parsed : parsed.slice(0, fresh)
  const from = Math.min(...held.map(({ seq }) => seq))
  const to = Math.max(...held.map(({ seq }) => seq + 1))
  const leaves = held.length === 0 ? [] : await store.leaves(from, Math.min(to, from + MAX_HELD))
  for (const line of held) {
    const [known, leaf] = [leaves[line.seq - from], leafOfHeld(state, line)]
    if (!leaf) throw new SwornError('LINE_MALFORMED', 'the hash of the line was expected in entry_hash', `seq=${line.seq}`)
    if (!known) throw new SwornError('LINE_MALFORMED', 'lines that lie together were expected', `seq=${line.seq}`)
    if (!equalBytes(known, leaf)) throw new SwornError('MIRROR_FORK', 'the entry that is held was expected', `seq=${line.seq}`)
  }
  return lines.slice(held.length)
}
