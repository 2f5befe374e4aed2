/**
 * Long lines, broken between words where a terminal is narrow: what must be read whole is never cut.
 *
 * Loads nothing: every start has it for its help.
 * @module
 */

/** At least so wide is what stands behind the indent, also where the terminal is narrower. */
const LEAST_CELLS = 24

/**
 * `line` in pieces, joined with LF, of at most `columns` cells; those behind the first begin at cell `indent`.
 * A longer word stays whole.
 * @param line escaped, without LF; its first `indent` characters, each one cell wide, stay as they are
 * @param widthOf cells of a text; its characters, where nothing else is said
 */
export function breakLine(line: string, columns: number, indent = 0, widthOf = (text: string): number => text.length): string {
  const most = Math.max(columns, indent + LEAST_CELLS)
  if (widthOf(line) <= most) return line
  const [first = '', ...words] = line.slice(indent).split(' ')
  const pieces = [line.slice(0, indent) + first]
  for (const word of words) {
    const longer = `${pieces.at(-1)} ${word}`
    if (widthOf(longer) <= most) pieces[pieces.length - 1] = longer
    else pieces.push(' '.repeat(indent) + word)
  }
  return pieces.join('\n')
}
