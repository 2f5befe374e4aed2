/**
 * Runs of hex, base64 and percent triplets in a text, and what they decode to. Linear; decodes one layer.
 * Source: spec policy §6.5.
 * @module
 */
import type { Profile } from '../profiles.ts'

const HEX = /0x[0-9A-Fa-f]{8,}|[0-9A-Fa-f]{32,}/g
const BASE64 = /[A-Za-z0-9+/_-]{16,}={0,2}/g
/** Begins at the edge of a run. `aip-compat` does not know it. */
const PERCENT = /(?<![\w.~%-])[\w.~-]*(?:%[0-9A-Fa-f]{2}[\w.~-]*)+/g
const MIN_TEXT = 4
const MIN_PRINTABLE = 0.8

/** Replaces each run whose decoded text `judge` names; `judge` gets every reading of a run. */
export function replaceEncoded(text: string, profile: Profile, judge: (decoded: string) => string | undefined): string {
  const replace = (run: string, decoded: readonly string[]) => {
    for (const reading of decoded) {
      const marker = judge(reading)
      if (marker !== undefined) return marker
    }
    return run
  }
  const withoutHex = text.replace(HEX, (run) => replace(run, decodeHex(run, profile)))
  const withoutBase64 = withoutHex.replace(BASE64, (run) => replace(run, decodeBase64(run, profile)))
  return profile === 'strict' ? withoutBase64.replace(PERCENT, (run) => replace(run, [decodePercent(run)])) : withoutBase64
}

/** Triplets that are no UTF-8 stay as they are. */
function decodePercent(run: string): string {
  return run.replace(/(?:%[0-9A-Fa-f]{2})+/g, (triplets) => {
    try {
      return decodeURIComponent(triplets)
    } catch {
      return triplets
    }
  })
}

/** `strict`: whatever stands before the secret in the same run, one alignment fits it. */
function decodeHex(run: string, profile: Profile): string[] {
  const digits = run.startsWith('0x') ? run.slice(2) : run
  return decodings(digits, profile === 'strict' ? 2 : 1, 'hex').filter((text) => profile === 'strict' || isText(text))
}

/** Node reads both base64 alphabets under either name. */
export function decodeBase64(run: string, profile: Profile): string[] {
  return decodings(run, profile === 'strict' ? 4 : 1, 'base64').filter((text) => profile === 'strict' || isText(text))
}

function decodings(run: string, alignments: number, encoding: 'hex' | 'base64'): string[] {
  return Array.from({ length: alignments }, (_, skip) => Buffer.from(run.slice(skip), encoding).toString('utf8'))
}

/** At least four characters, four of five printable. */
function isText(decoded: string): boolean {
  if (decoded.length < MIN_TEXT) return false
  const hidden = decoded.match(/[^\P{C}\t\n\r]|\ufffd/gu)?.length ?? 0
  return 1 - hidden / decoded.length >= MIN_PRINTABLE
}
