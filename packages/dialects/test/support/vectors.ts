/** Foreign vectors: beside the repository or in SWORN_VECTORS; said loudly when they are not there. @module */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = `${process.env.SWORN_VECTORS ?? fileURLToPath(new URL('../../../../../shared/vectors', import.meta.url))}/interop`

/** A reason to skip, or false. */
export const absent: string | false = existsSync(root) ? false : 'the foreign vectors are not here (set SWORN_VECTORS to their folder)'
if (absent) console.error(`SKIPPED: ${absent}`)

export function vector(path: string): Buffer {
  return readFileSync(`${root}/${path}`)
}

/** The JSON of a vector file; tests know its shape. */
export function vectorJson<T>(path: string): T {
  return JSON.parse(vector(path).toString('utf8')) as T // test data of a known shape
}
