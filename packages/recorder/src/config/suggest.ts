/** The nearest known word to a misspelt one. @module */

/** Damerau–Levenshtein distance (adjacent transpositions count one) of two short strings. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(change, rows[i - 1]![j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      row.push(best)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}

/**
 * The known word that `word` most likely means, or undefined when none is near.
 * Near: at most one edit per three letters, at least one; words over 64 letters are not compared.
 */
export function findSuggestion(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined
  const allowed = Math.max(1, Math.floor(word.length / 3))
  const ranked = known.map((name) => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) }))
  const best = ranked.toSorted((x, y) => x.edits - y.edits)[0]
  return best && best.edits <= allowed ? best.name : undefined
}

/** `, did you mean "x"?` or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const name = findSuggestion(word, known)
  return name === undefined ? '' : `, did you mean "${name}"?`
}
