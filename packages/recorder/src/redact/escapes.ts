/**
 * Escapes that end in a letter or a digit hide where a token begins: `\nghp_…` in JSON text, `ESC[32mghp_…` of a terminal,
 * `%3Dghp_…` in an address, `=3Dghp_…` in mail, `__ghp_…` in Markdown.
 * @module
 */

/** Each alternative begins with a character of its own, so that text without them is passed over quickly. */
const ESCAPES =
  /(?:\u001b\[[\d;]{0,16}[A-Za-z]|\\(?:(?:u001b|x1b|033|e)\[[\d;]{0,16}[A-Za-z]|u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|[abefnrtv0])|%[\dA-Fa-f]{2}|=[\dA-F]{2}|_{1,3}(?<![A-Za-z\d]_{1,3}))(?=[A-Za-z\d])/g

/** The text with every escape before a token blanked, as long as before: what stands at an offset still stands there. */
export function withoutEscapes(text: string): string {
  return text.replace(ESCAPES, (written) => ' '.repeat(written.length))
}
