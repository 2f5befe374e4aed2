/**
 * Where lines of output go: stdout, or a file that only its owner can read.
 * @module
 */
import { once } from 'node:events'
import { access, constants, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Io } from '../frame/io.ts'

export interface Output {
  readonly write: (line: string) => Promise<void> | void
  close(): Promise<void>
}

/**
 * @param file as given with `-o`; undefined: stdout
 * @throws the file system's error, before anything else was done
 */
export async function openOutput(file: string | undefined, io: Io): Promise<Output> {
  return file === undefined ? { write: io.out, close: async () => {} } : await openFile(resolve(io.cwd, file))
}

/**
 * For what is written at the end and prepared for long: a folder that is not there is told before.
 *
 * @param file absolute
 * @throws the file system's error, naming the file
 */
export async function checkFolder(file: string): Promise<void> {
  await access(`${dirname(file)}/.`, constants.W_OK).catch((e: unknown) => {
    throw Object.assign(e as Error, { path: file })
  })
}

async function openFile(path: string): Promise<Output> {
  const stream = (await open(path, 'w', 0o600)).createWriteStream()
  const failed = new Promise<never>((_, reject) => stream.on('error', reject))
  failed.catch(() => {}) // awaited by whichever write or close comes next
  return {
    write: async (line) => {
      if (!stream.write(`${line}\n`)) await Promise.race([once(stream, 'drain'), failed])
    },
    close: async () => {
      stream.end()
      await Promise.race([once(stream, 'finish'), failed])
    },
  }
}
