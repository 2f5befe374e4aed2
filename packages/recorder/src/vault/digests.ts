/**
 * Committed values in lines: which digests a line names, without parsing it.
 *
 * An object with the one member `$sd` is always ours: docs/format.md, "Committed values".
 * @module
 */
const HEAD = '{"$sd":"'
const DIGEST = /\{"\$sd":"([\w-]{43})"\}/g

/** False: nothing in the line was committed. */
export function mayCommit(line: Buffer): boolean {
  return line.includes(HEAD)
}

export function digestsIn(line: Buffer): string[] {
  return [...line.toString('latin1').matchAll(DIGEST)].map(([, digest = '']) => digest)
}
