/**
 * Secrets in another dress: inside hex, base64 and URL encoding, and inside one of them within another. What decodes
 * to a secret is masked whole. Work linear in the text.
 * @module
 */
import type { Scanner, Span } from './types.ts'

const HEX = /(?<![A-Za-z0-9])(?:0x)?(?:[0-9A-Fa-f]{2}){16,}(?![0-9A-Fa-f])/g
const BASE64 = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}/g
const ENCODED = /(?<![^\s"'<>])(?=[^\s"'<>%]*%[0-9A-Fa-f]{2})[^\s"'<>]+/g

/** A scanner that decodes and asks the others. Its prefilter answers yes for any text with such a run. */
export function createDecodingScanner(scanners: readonly Scanner[], nested = 1): Scanner {
  const asked = nested > 0 ? [...scanners, createDecodingScanner(scanners, nested - 1)] : scanners
  const ask = (text: string | undefined) => text !== undefined && asked.flatMap((scanner) => scanner.find(text))[0]?.pattern
  const findIn = (text: string, expression: RegExp, decode: (run: string) => string | undefined) =>
    Array.from(text.matchAll(expression)).flatMap((match): Span[] => {
      const pattern = ask(decode(match[0]))
      return pattern ? [{ start: match.index, end: match.index + match[0].length, pattern }] : []
    })
  return {
    mayMatch: (text) => text.search(BASE64) >= 0 || /%[0-9A-Fa-f]{2}/.test(text),
    find: (text) => [...findIn(text, HEX, decodeHex), ...findIn(text, BASE64, decodeBase64), ...findIn(text, ENCODED, decodeUrl)],
  }
}

function decodeBase64(run: string): string | undefined {
  return toText(Buffer.from(run, run.includes('-') || run.includes('_') ? 'base64url' : 'base64'))
}

function decodeHex(run: string): string | undefined {
  return toText(Buffer.from(run.startsWith('0x') ? run.slice(2) : run, 'hex'))
}

function toText(bytes: Buffer): string | undefined {
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
