/**
 * Found entries in each format. Texts of the ledger are escaped where they are shown, and stored bytes where they are data.
 * @module
 */
import type { Found } from '@sworn/analyze'
import type { Entry } from '@sworn/analyze/reading'
import { SwornError } from '@sworn/verify'
import { CSV_HEADER, formatCsv, formatEntries } from '../reading/show.ts'
import type { Write } from './output.ts'
import type { Format } from './question.ts'
import { formatTree } from './tree.ts'

const TABLE_PAGE = 1000
/** A tree is held whole. */
const MAX_TREE = 100_000
/** Stored lines that are written together, byte for byte, from one place: texts of them would be garbage as long as the answer. */
const JOINED_BYTES = 1 << 16
const LF = 10

export interface PrintOptions {
  readonly width: number
  readonly utc: boolean
  readonly now: number
  /** Members of the json object behind the entries, asked when all were written. */
  ending(): object
}

/** Looks at each as it comes: the next one may lie where its line lay. */
type Printer = (found: AsyncIterable<Found>, write: Write, options: PrintOptions) => Promise<void>

export const printers: Readonly<Record<Format, Printer>> = {
  async jsonl(found, write) {
    let room = Buffer.allocUnsafeSlow(JOINED_BYTES)
    let at = 0
    const flush = async () => {
      if (at > 0) await write(room.subarray(0, at))
      at = 0
    }
    for await (const { line } of found) {
      if (at + line.length + 1 > room.length) await flush()
      if (line.length + 1 > room.length) room = Buffer.allocUnsafeSlow(line.length + 1)
      room.set(line, at)
      at += line.length + 1
      room[at - 1] = LF
    }
    await flush()
  },
  async json(found, write, { ending }) {
    let count = 0
    await write('{"entries":[')
    for await (const { line } of found) await write(`${count++ === 0 ? '' : ','}${line.toString('utf8')}`)
    await write(`],"count":${count},${JSON.stringify(ending()).slice(1)}`)
  },
  async csv(found, write) {
    await write(CSV_HEADER)
    for await (const one of found) await write(formatCsv(one.entry()))
  },
  async table(found, write, options) {
    let page: Entry[] = []
    let isFirst = true
    const flush = async () => {
      const lines = formatEntries(page, options)
      for (const line of isFirst ? lines : lines.slice(1)) await write(line)
      isFirst = false
      page = []
    }
    for await (const one of found) {
      page.push(one.entry())
      if (page.length === TABLE_PAGE) await flush()
    }
    if (isFirst || page.length > 0) await flush()
  },
  async tree(found, write, options) {
    const entries: Entry[] = []
    for await (const one of found) {
      if (entries.push(one.entry()) > MAX_TREE)
        throw new SwornError(
          'USAGE',
          `at most ${MAX_TREE} entries were expected in a tree; narrow the filter, or --format table`,
          '--format',
        )
    }
    for (const line of formatTree(entries, options)) await write(line)
  },
}
