/**
 * What a crash left of the files beside the log: torn ends are cut, what did not get there is added.
 * @module
 */
import type { Env } from './core.ts'
import { appendFile, readFile, truncateFile } from './files.ts'
import type { Followed } from './follow.ts'
import type { Found } from './identity.ts'
import { splitKeptNotes } from './kept-notes.ts'

/** Adds to reserved.jsonl what a crash kept out of it; a torn last line there is cut first. */
export function keepReserved(env: Env, found: Found, followed: Followed): void {
  const { reserved } = env.layout
  const bytes = readFile(env.ops, reserved) ?? Buffer.alloc(0)
  const whole = bytes.lastIndexOf(10) + 1
  if (whole < bytes.length) truncateFile(env.ops, reserved, whole)
  const lost = followed.reserved.filter((record) => !found.kept.has(record.seq)).map((record) => record.line)
  if (lost.length > 0) appendFile(env.ops, reserved, Buffer.from(lost.join('')), { durable: true })
}

/** Cuts an incomplete last entry of checkpoints.log. */
export function mendNotes({ ops, layout }: Env): void {
  const bytes = readFile(ops, layout.checkpointsLog)
  if (!bytes) return
  const { end } = splitKeptNotes(bytes)
  if (end < bytes.length) truncateFile(ops, layout.checkpointsLog, end)
}
