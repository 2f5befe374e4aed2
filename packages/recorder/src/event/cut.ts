/** Cuts text so that no half of a secret, of a marker or of a character stays. @module */

const LOOKBACK = 512
const TOKEN = /[\w+/=.%:@~-]/

/**
 * At most `max` UTF-16 units of `text`, ending before a token that the cut would split.
 * A token longer than 512 units is cut within; what remains of it is still found by prefix patterns.
 */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text
  let end = max
  while (end > 0 && max - end < LOOKBACK && TOKEN.test(text[end]!) && TOKEN.test(text[end - 1]!)) end--
  return beforeMarker(text, end === 0 || max - end >= LOOKBACK ? max : end)
    .toWellFormed()
    .replace(/\ufffd$/, '')
}

/** Exactly `max` units, less what would split a marker or a surrogate pair. For text that is redacted already. */
export function headOf(text: string, max: number): string {
  if (text.length <= max) return text
  const head = beforeMarker(text, max)
  return head.isWellFormed() ? head : head.slice(0, -1)
}

function beforeMarker(text: string, end: number): string {
  const open = text.lastIndexOf('[REDACTED:', end)
  if (open >= 0 && end - open < 80) {
    const close = text.indexOf(']', open)
    if (close >= end) return text.slice(0, open)
  }
  return text.slice(0, end)
}
