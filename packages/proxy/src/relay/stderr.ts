/**
 * What the server writes to stderr, looked through before a person sees it, when the policy says so.
 *
 * Bytes come in writes that end anywhere, so text is held to the end of its line, and a private key to its end line:
 * a secret in two writes is one secret. Of a line longer than 64 KiB all but the last 4 KiB is let go; only a secret
 * longer than that can leave a part of itself. Without `filter_stderr` the bytes pass untouched.
 * Source: policy.md §6.5 (filter_stderr), checklist PW10.
 * @module
 */
import { Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { DlpMatch, Gate } from '@sworn/recorder'

const MAX_HELD = 65_536
const OVERLAP = 4096

export interface LogFilterOptions {
  /** The gate of this moment. */
  readonly gate: () => Gate | undefined
  readonly found: (matches: readonly DlpMatch[]) => void
}

/** Takes and gives bytes. Never fails: what cannot be looked at is replaced as the policy says. */
export function createLogFilter({ gate, found }: LogFilterOptions): Transform {
  let decoder = new StringDecoder('utf8')
  let held = ''

  function look(text: string, inspectLog: NonNullable<Gate['inspectLog']>): string {
    if (text === '') return text
    try {
      const { value, matches, blocked } = inspectLog(text)
      found(matches)
      return blocked ? '[BLOCKED:dlp]\n' : String(value)
    } catch {
      return '[BLOCKED:dlp]\n' // a gate that fails shows nothing
    }
  }

  function release(inspectLog: NonNullable<Gate['inspectLog']>): string {
    const end = endOfWhole(held)
    const ready = look(held.slice(0, end), inspectLog)
    held = held.slice(end)
    if (held.length <= MAX_HELD) return ready
    const rest = look(held, inspectLog)
    held = rest.slice(-OVERLAP)
    return ready + rest.slice(0, -OVERLAP)
  }

  /** Everything that is held, and the end of the decoder. */
  function empty(inspectLog: Gate['inspectLog']): string {
    const text = held + decoder.end()
    held = ''
    decoder = new StringDecoder('utf8')
    return inspectLog ? look(text, inspectLog) : text
  }

  return new Transform({
    decodeStrings: true,
    transform(chunk: Buffer, _encoding, done) {
      const inspectLog = gate()?.inspectLog
      if (!inspectLog) {
        const before = empty(undefined)
        if (before !== '') this.push(before)
        done(null, chunk)
        return
      }
      held += decoder.write(chunk)
      done(null, release(inspectLog))
    },
    flush(done) {
      done(null, empty(gate()?.inspectLog))
    },
  })
}

/** Behind the last line that is whole, and before the line in which a private key begins that has no end yet. */
function endOfWhole(text: string): number {
  const lines = text.lastIndexOf('\n') + 1
  const begins = text.lastIndexOf('-----BEGIN ', lines)
  if (begins < 0 || begins >= lines || text.slice(begins, lines).includes('-----END ')) return lines
  return text.slice(begins, begins + 80).includes('PRIVATE KEY') ? begins : lines
}
