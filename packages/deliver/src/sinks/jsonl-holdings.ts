/**
 * What the jsonl sink holds: the lines of its file and of those that were moved aside at their size.
 *
 * A line says to which entry it belongs: the ledger's own by its suffix, another form by the member that holds the seq.
 * A last line without LF is being written.
 * @module
 */
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createSplitter } from '@sworn/recorder/segments'
import { isJsonObject, type JsonValue, parseLine, SwornError } from '@sworn/verify'
import type { Held, OpenHoldings } from '../holdings.ts'

/** Dialects whose lines do not say to which entry they belong, or not as JSON. */
export const PLACELESS: readonly string[] = ['cef', 'leef', 'otlp', 'gantz']

const MAX_TRIES = 20

export function jsonlHoldings(path: string): OpenHoldings {
  return async () => ({
    compares: 'bytes',
    findsExtra: true,
    async *read({ from, to }, signal): AsyncGenerator<Held> {
      for await (const bytes of linesOf(path)) {
        signal.throwIfAborted()
        const seq = seqOf(bytes)
        const isWanted = seq === undefined ? to === Number.POSITIVE_INFINITY : seq >= from && seq < to // what has no place is told once
        if (isWanted) yield { seq, body: bytes.toString('utf8') }
      }
    },
    close: async () => {},
  })
}

/** Whole lines of every file, each file once, also when one is moved aside meanwhile. @throws SwornError SINK_UNREADABLE */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  const seen = new Set<number>()
  for (let next = await findUnseen(path, seen); next !== undefined; next = await findUnseen(path, seen)) {
    const splitter = createSplitter()
    for await (const chunk of next.createReadStream()) yield* splitter.push(chunk) // its end closes the file
  }
}

/** The oldest file that was not read yet, open. One that was moved aside since it was listed is found under its new name. */
async function findUnseen(path: string, seen: Set<number>, tries = 0): Promise<FileHandle | undefined> {
  try {
    for (const name of await filesOf(path)) {
      const file = await open(name).catch((e) => {
        if (e.code !== 'ENOENT' || tries >= MAX_TRIES) throw e
      })
      if (!file) return await findUnseen(path, seen, tries + 1)
      const { ino } = await file.stat()
      if (!seen.has(ino)) {
        seen.add(ino)
        return file
      }
      await file.close()
    }
    return undefined
  } catch (cause) {
    throw new SwornError('SINK_UNREADABLE', 'the files cannot be read', path, { cause })
  }
}

async function filesOf(path: string): Promise<readonly string[]> {
  const own = `${basename(path)}.`
  const isRotated = (name: string) => name.startsWith(own) && /^\d{8}_\d{6}(-\d+)?$/.test(name.slice(own.length))
  const names = await readdir(dirname(path))
  const current = names.includes(basename(path)) ? [path] : [] // moved away, and nothing came since
  return [...names.filter(isRotated).map((name) => join(dirname(path), name)), ...current]
}

/** The entry of a line, in whatever form; undefined where it does not say. */
export function seqOf(bytes: Buffer): number | undefined {
  try {
    return parseLine(bytes).seq
  } catch {
    return seqOfForm(bytes.toString('utf8'))
  }
}

/** Where the formats have it: as `seq`, in the slot `sworn`, in CloudEvents, ECS and OCSF. */
function seqOfForm(text: string): number | undefined {
  try {
    const value: JsonValue = JSON.parse(text)
    const found = [['seq'], ['sworn', 'seq'], ['metadata', 'sworn', 'seq'], ['swornseq'], ['event', 'sequence'], ['metadata', 'sequence']]
      .map((path) => path.reduce<JsonValue | undefined>((at, name) => (isJsonObject(at) ? at[name] : undefined), value))
      .find((seq) => seq !== undefined)
    const seq = typeof found === 'string' && /^\d{1,16}$/.test(found) ? Number(found) : found
    return typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0 ? seq : undefined
  } catch {
    return undefined
  }
}
