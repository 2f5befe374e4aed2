/**
 * checkpoints.log: the signed notes that a ledger keeps, each as `<bytes of the note> LF note`.
 *
 * An entry is found by its head and by how a checkpoint begins, so one that is damaged takes none behind it along.
 * The bytes are as attacker-controlled as the entries of the ledger.
 * @module
 */

/** On latin1, one character a byte: a length, and behind it origin, size and root. */
const ENTRY_HEAD = /(?<![^\n])([1-9]\d{0,6})\n(?=[^\n]+\n\d+\n[A-Za-z0-9+/]{43}=\n)/g
/** What a crash leaves of an entry: its length at least. */
const TORN = /^[1-9]\d{0,6}(?:\n|$)/

/**
 * @returns the notes in their order, with whatever stands between them; and where the last whole one ends, before an entry
 *   that a crash cut
 */
export function splitKeptNotes(bytes: Buffer): { notes: string[]; end: number } {
  const notes: string[] = []
  const flat = bytes.toString('latin1')
  const keep = (from: number, to: number): void => void (from < to && notes.push(bytes.toString('utf8', from, to)))
  const heads = Array.from(flat.matchAll(ENTRY_HEAD), (head) => ({
    at: head.index,
    from: head.index + head[0].length,
    size: Number(head[1]),
  }))
  let end = 0
  for (const [i, { at, from, size }] of heads.entries()) {
    const next = heads[i + 1]?.at ?? bytes.length
    keep(end, at)
    if (from + size > next && next === bytes.length) return { notes, end: at }
    end = Math.min(from + size, next)
    keep(from, end)
  }
  if (TORN.test(flat.slice(end))) return { notes, end }
  keep(end, bytes.length)
  return { notes, end: bytes.length }
}
