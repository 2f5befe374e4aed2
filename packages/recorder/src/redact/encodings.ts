/**
 * Secrets in another dress: inside base64 and URL encoding. What decodes to a secret is masked whole.
 * One layer each; work linear in the text.
 * @module
 */
import type { Scanner, Span } from './types.ts'

const BASE64 = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}/g
const ENCODED = /(?<![^\s"'<>])(?=[^\s"'<>%]*%[0-9A-Fa-f]{2})[^\s"'<>]+/g

/** A scanner that decodes and asks the others. Its prefilter answers yes for any text with such a run. */
export function createDecodingScanner(scanners: readonly Scanner[]): Scanner {
  const ask = (text: string | undefined) => text !== undefined && scanners.flatMap((scanner) => scanner.find(text))[0]?.pattern
  const findIn = (text: string, expression: RegExp, decode: (run: string) => string | undefined) =>
    Array.from(text.matchAll(expression)).flatMap((match): Span[] => {
      const pattern = ask(decode(match[0]))
      return pattern ? [{ start: match.index, end: match.index + match[0].length, pattern }] : []
    })
  return {
    mayMatch: (text) => text.search(BASE64) >= 0 || /%[0-9A-Fa-f]{2}/.test(text),
    find: (text) => [...findIn(text, BASE64, decodeBase64), ...findIn(text, ENCODED, decodeUrl)],
  }
}

function decodeBase64(run: string): string | undefined {
  const bytes = Buffer.from(run, run.includes('-') || run.includes('_') ? 'base64url' : 'base64')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Percent triplets that are no UTF-8 stay as they are. */
function decodeUrl(run: string): string | undefined {
  return run.replace(/(?:%[0-9A-Fa-f]{2})+/g, (triplets) => {
    try {
      return decodeURIComponent(triplets)
    } catch {
      return triplets
    }
  })
}
