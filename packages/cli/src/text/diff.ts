/** What changes between two texts, line by line. @module */

const MAX_CELLS = 4_000_000

/**
 * Changed lines with `-` and `+`, and up to `context` equal lines around them; longest common subsequence.
 * Texts too long for it are shown as one block.
 */
export function formatDiff(before: string, after: string, context = 2): string[] {
  const a = before.split('\n')
  const b = after.split('\n')
  const all = a.length * b.length > MAX_CELLS ? [...a.map((l) => `- ${l}`), ...b.map((l) => `+ ${l}`)] : walk(a, b, lengths(a, b))
  const near = (i: number) => all.slice(Math.max(0, i - context), i + context + 1).some((line) => !line.startsWith(' '))
  return all.filter((_, i) => near(i))
}

function lengths(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
    }
  }
  return table
}

function walk(a: readonly string[], b: readonly string[], table: readonly Uint32Array[]): string[] {
  const out: string[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push(`  ${a[i++]}`)
      j++
    } else if (i < a.length && (j >= b.length || table[i + 1]![j]! >= table[i]![j + 1]!)) out.push(`- ${a[i++]}`)
    else out.push(`+ ${b[j++]}`)
  }
  return out
}
