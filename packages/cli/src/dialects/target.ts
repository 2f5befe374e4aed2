/**
 * Where an export goes: a file with its sidecar, or stdout.
 * @module
 */
import type { Dialect, DialectOptions, Event } from '@sworn/dialects'
import { openLineFile, type Written } from './line-file.ts'

export interface Exported {
  readonly name: string
  readonly file: Written
  readonly sidecar?: { readonly name: string } & Written
}

export interface Target {
  write(entry: Event): Promise<void>
  /** Undefined where nothing can be read back. */
  close(): Promise<Exported | undefined>
  /** Leaves nothing. */
  discard(): void
}

export const SIDECAR = '.sidecar.jsonl'

/** Lines of a dialect in `path`; the events that its records cannot carry whole in `<path>.sidecar.jsonl`. */
export async function openFileTarget(path: string, name: string, dialect: Dialect, options: DialectOptions): Promise<Target> {
  const writer = dialect.openWriter(options)
  const file = openLineFile(path)
  const sidecar = dialect.sidecar ? openLineFile(path + SIDECAR) : undefined
  for (const line of writer.head) file.write(line)
  return {
    async write(entry) {
      const { lines, beside } = await writer.write(entry)
      for (const line of lines) file.write(line)
      if (beside) sidecar?.write(JSON.stringify(beside))
    },
    async close() {
      const besides = await sidecar?.close() // first: the file itself says that the export is whole
      return { name, file: await file.close(), ...(besides && { sidecar: { name: name + SIDECAR, ...besides } }) }
    },
    discard() {
      file.discard()
      sidecar?.discard()
    },
  }
}

/** Lines of a dialect on stdout. */
export async function openStdoutTarget(
  out: (line: string) => Promise<void> | void,
  dialect: Dialect,
  options: DialectOptions,
): Promise<Target> {
  const writer = dialect.openWriter(options)
  for (const line of writer.head) await out(line)
  return {
    async write(entry) {
      for (const line of (await writer.write(entry)).lines) await out(line)
    },
    close: async () => undefined,
    discard: () => {},
  }
}
