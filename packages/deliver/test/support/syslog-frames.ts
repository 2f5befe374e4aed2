/** Octet counting, read. Source: RFC 6587 §3.4.1. @module */
import assert from 'node:assert/strict'

/** Messages of a stream, as far as they are whole. */
export function splitFrames(bytes: Buffer): string[] {
  const messages: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at)
    if (space < 0) break
    const length = Number(bytes.toString('latin1', at, space))
    assert.ok(Number.isSafeInteger(length), 'octet counting')
    if (space + 1 + length > bytes.length) break
    messages.push(bytes.toString('utf8', space + 1, space + 1 + length))
    at = space + 1 + length
  }
  return messages
}
