/** Where the test vectors are: our own in `vectors/`, the foreign ones beside the repository or in SWORN_VECTORS. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const shared = resolve(process.env.SWORN_VECTORS ?? resolve(root, '../shared/vectors'), 'tlog')

/** Bytes of a file of ours, committed with the code. */
export function ownVector(name: string): Buffer {
  return readFileSync(resolve(root, 'vectors/tlog/own', name))
}

export function ownJson<T>(name: string): T {
  return JSON.parse(ownVector(name).toString('utf8')) as T // test data of a known shape
}

export const ownPath = (name: string): string => resolve(root, 'vectors', name)

/** Declares a test over a folder of foreign vectors, or says loudly that it was skipped. */
export function sharedTest(title: string, folder: string, run: (read: (file: string) => Buffer) => void | Promise<void>): void {
  const there = existsSync(resolve(shared, folder))
  if (!there) process.stderr.write(`SKIPPED ${title}: vectors "${folder}" not found, set SWORN_VECTORS\n`)
  test(title, { skip: there ? false : `vectors "${folder}" are not here` }, () =>
    run((file) => readFileSync(resolve(shared, folder, file))),
  )
}

export const fromBase64 = (s: string): Uint8Array => new Uint8Array(Buffer.from(s, 'base64'))
export const fromHex = (s: string): Uint8Array => new Uint8Array(Buffer.from(s, 'hex'))
export const jsonLines = <T>(bytes: Buffer): T[] =>
  bytes
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T) // test data of a known shape
