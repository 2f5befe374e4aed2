/** Foreign vectors: beside the repository or in SWORN_VECTORS; said loudly when they are not there. @module */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = `${process.env.SWORN_VECTORS ?? fileURLToPath(new URL('../../../../../shared/vectors', import.meta.url))}/interop`

/** A reason to skip, or false. */
export const absent: string | false = existsSync(root) ? false : 'the foreign vectors are not here (set SWORN_VECTORS to their folder)'
if (absent) console.error(`SKIPPED: ${absent}`)

/** Paths of the vectors that were read. */
export const seen = new Set<string>()

/** Paths of all vectors; licences and READMEs are none. */
export function allVectors(): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !/^(LICENSE|NOTICE|README)(\.md)?$/.test(file.name))
    .map((file) => relative(root, resolve(file.parentPath, file.name)).replaceAll('\\', '/'))
}

export function vector(path: string): Buffer {
  seen.add(path)
  return readFileSync(`${root}/${path}`)
}

/** The JSON of a vector file; tests know its shape. */
export function vectorJson<T>(path: string): T {
  return JSON.parse(vector(path).toString('utf8')) as T // test data of a known shape
}
