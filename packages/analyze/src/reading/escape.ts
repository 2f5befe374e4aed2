/**
 * Makes recorded data safe to show: nothing in it can move the cursor, colour, hide or reorder text.
 *
 * Escaped: C0, DEL, C1, bidi marks, embeddings, overrides and isolates, zero-width and invisible
 * characters, line and paragraph separators, tag characters, lone surrogates. Everything else stays.
 * The sets are those of Unicode TR 36 §2 and TR 9.
 * @module
 */

/** Control, format, surrogate, line and paragraph separator, and whatever shows as nothing. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\p{Default_Ignorable_Code_Point}/gu

/** Texts that are made of ASCII, Latin letters and common punctuation have none of it, and need none of Unicode's tables in memory. */
const SAFE = /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027]*$/

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * `text` with every unsafe character as `\n`, `\u202e` or `\u{e0041}`; idempotent.
 * @param options.keepLines leaves line feeds, for our own texts of several lines
 */
export function escapeText(text: string, options: { readonly keepLines?: boolean } = {}): string {
  if (SAFE.test(text)) return text
  return text.replace(UNSAFE, (char) => (char === '\n' && options.keepLines ? char : escapeChar(char)))
}

function escapeChar(char: string): string {
  const code = char.codePointAt(0)!
  return NAMED[char] ?? (code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`)
}
