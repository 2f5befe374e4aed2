/**
 * What witnesses cosigned: sizes that others than the log's owner have seen.
 *
 * Counts a size when enough configured witnesses signed it (C2SP tlog-cosignature). The verifier's own clock
 * gives the age; nothing is asked of the network here.
 * @module
 */
import type { Findings } from './findings.ts'
import type { VerifierKey } from './keys.ts'
import { cosignatureSeconds, isSignedBy, type Note } from './note.ts'
import type { Primitives } from './primitives.ts'
import { type AnchoredLevel, formatSeqs } from './report.ts'
import type { Where } from './signed.ts'

export interface WitnessPolicy {
  /** Keys of type 0x04 that the verifier trusts. */
  witnesses: readonly VerifierKey[]
  /** How many of them must have cosigned a size; 1 when not given. */
  quorum?: number
  /** Age of the newest cosigned size from which on the log is `stale`; needs a clock. */
  maxAgeMs?: number
}

export interface Anchors {
  /** Looks for cosignatures on a checkpoint whose root is the tree's. */
  see(note: Note, size: number, where: Where): Promise<void>
  /** The level; `below` says whether the levels it includes hold. Called once, at the end. */
  finish(below: () => boolean, now: number | undefined): AnchoredLevel
}

export function createAnchors(p: Primitives, findings: Findings, policy: WitnessPolicy | undefined): Anchors {
  const witnesses = policy?.witnesses ?? []
  const needed = policy?.quorum ?? 1
  let newest = { size: 0, quorum: 0, timeMs: 0 }
  return {
    async see(note, size, where) {
      const times: number[] = []
      for (const witness of witnesses) {
        const found = note.signatures.find(({ name, id }) => name === witness.name && id === witness.id)
        if (!found) continue
        if (await isSignedBy(p, witness, note.text, found.signature)) times.push(Number(cosignatureSeconds(found.signature) ?? 0n) * 1000)
        else findings.add('signature_invalid', where, 'a cosignature that verifies was expected')
      }
      const time = times.sort((a, b) => b - a)[needed - 1] // the time by which the quorum had signed, counted from the newest
      if (time !== undefined && size >= newest.size) newest = { size, quorum: times.length, timeMs: Math.max(time, newest.timeMs) }
    },
    finish(below, now) {
      if (witnesses.length > 0 && newest.quorum === 0) findings.add('unwitnessed', 'checkpoints', 'no size carries enough cosignatures')
      const ageMs = now === undefined || newest.quorum === 0 ? undefined : now - newest.timeMs
      if (ageMs !== undefined && ageMs > (policy?.maxAgeMs ?? Number.POSITIVE_INFINITY)) {
        findings.add('stale', 'checkpoints', 'a newer cosignature was expected')
      }
      const holds = newest.quorum > 0 && below() && !findings.breaks('anchored')
      return {
        holds,
        size: newest.size,
        quorum: newest.quorum,
        ...(ageMs !== undefined && { ageMs }),
        detail: describe(witnesses.length, newest),
      }
    },
  }
}

function describe(witnesses: number, newest: { size: number; quorum: number }): string {
  if (witnesses === 0) return 'not checked: no witness is configured'
  return newest.quorum === 0
    ? 'no size carries enough cosignatures'
    : `${formatSeqs(0, newest.size)} by ${newest.quorum} of ${witnesses} witnesses`
}
