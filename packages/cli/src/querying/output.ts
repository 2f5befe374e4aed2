/**
 * Where lines of output go: stdout, or a file that only its owner can read.
 * @module
 */
import { once } from 'node:events'
import { existsSync, realpathSync, statSync } from 'node:fs'
import { access, constants, open } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import type { LedgerFiles } from '@sworn/analyze/reading'
import { SwornError } from '@sworn/verify'
import type { Io } from '../frame/io.ts'

export type Write = (chunk: string | Uint8Array) => Promise<void> | void

export interface Output {
  /** Text gets a line end; bytes are written as they are, and something else may be written over them once it is done. */
  readonly write: Write
  close(): Promise<void>
}

/**
 * @param file as given with `-o`; undefined: stdout. @param files the ledger that is asked
 * @throws SwornError USAGE for a file of the ledger; the file system's error, before anything else was done
 */
export async function openOutput(file: string | undefined, files: LedgerFiles, io: Io): Promise<Output> {
  if (file === undefined)
    return { write: (chunk) => (typeof chunk === 'string' ? io.out(chunk) : io.outBytes(chunk)), close: async () => {} }
  const path = resolve(io.cwd, file)
  checkApart(path, files)
  return await openFile(path)
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

/**
 * What is read must not be what is written over: the answer would take the place of the ledger.
 *
 * @param file absolute
 * @throws SwornError USAGE where it is a file of the ledger that is read, under any name, or the active file of another one
 */
export function checkApart(file: string, { directory, activeFile }: LedgerFiles): void {
  const target = resolveLinks(file)
  const isInside = directory !== undefined && target.startsWith(`${realpathSync(directory)}${sep}`)
  const isActive = activeFile !== undefined && isSame(target, activeFile)
  if (isInside || isActive || existsSync(`${target}.ledger`))
    throw new SwornError('USAGE', 'a file outside of the ledger was expected', '--output')
}

/** As far as it is there; a pipe behind /dev/stdout has no name. */
function resolveLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(resolveLinks(parent), basename(path))
  }
}

/** Two names of one file, hard links included. */
function isSame(path: string, other: string): boolean {
  const [a, b] = [path, other].map((one) => statSync(one, { bigint: true, throwIfNoEntry: false }))
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
}

async function openFile(path: string): Promise<Output> {
  const stream = (await open(path, 'w', 0o600)).createWriteStream()
  const failed = new Promise<never>((_, reject) => stream.on('error', reject))
  failed.catch(() => {}) // awaited by whichever write or close comes next
  return {
    write: async (chunk) => {
      if (typeof chunk !== 'string') await Promise.race([new Promise((resolve) => void stream.write(chunk, resolve)), failed])
      else if (!stream.write(`${chunk}\n`)) await Promise.race([once(stream, 'drain'), failed])
    },
    close: async () => {
      stream.end()
      await Promise.race([once(stream, 'finish'), failed])
    },
  }
}
