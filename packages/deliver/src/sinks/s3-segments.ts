/**
 * The closed segments of a ledger in S3, each an object with the bytes of the file, and where asked for a table beside it.
 *
 *   <prefix><origin>/segments/<first seq, 20 digits>.jsonl      a whole segment, decompressed
 *   <prefix><origin>/checkpoints/<size, 20 digits>              the newest signed note of a batch
 *   <prefix><origin>/parquet/<first seq, 20 digits>.parquet     the events of the segment; derived, proves nothing
 *
 * Delivery hands over no entry of a segment that is still written. The first one of another segment stores the whole of
 * it, read from the ledger's file; memory does not grow with it. Where an object lies already its bytes are compared.
 * Entries whose segment was pruned meanwhile are refused, which parks them.
 * @module
 */
import { createHash, hash } from 'node:crypto'
import { createReadStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { findLedger, type LedgerFiles, openSegment } from '@sworn/recorder/segments'
import { makeDirectory } from '../files.ts'
import { listNumbered } from '../numbered.ts'
import { type Duckdb, writeParquet } from '../parquet.ts'
import { allAgain, type OpenSink, type Outcome } from '../sink.ts'
import { awsReason } from './aws.ts'
import { failure, loadS3, type NewObject, type StreamBody } from './s3-driver.ts'
import { type Archive, baseOf, keyOf, newObject, OTHER, padded, probeArchive, type S3Options, storeCheckpoint } from './s3-objects.ts'

export interface SegmentsOptions extends S3Options {
  /** Of the ledger, absolute. */
  readonly ledgerPath: string
  /** A table beside each segment is made with it. */
  readonly duckdb?: (() => Promise<Duckdb>) | undefined
}

/** Entries `[from, to)` of the ledger lie in one of its files. */
interface Segment {
  readonly path: string
  readonly from: number
  readonly to: number
}

const LIMITS = { items: 10_000, bytes: 8 << 20 }
const GONE = 'its segment was pruned before it was stored'

export function s3SegmentSink(options: SegmentsOptions): OpenSink {
  return async () => {
    const store = (await (options.driver ?? loadS3)()).open(options.bucket, options)
    const duckdb = await options.duckdb?.()
    const files = findLedger(options.ledgerPath, '/')
    let stored: Segment | undefined // by this run: what an earlier one stored is compared
    return {
      limits: LIMITS,
      async send(items, signal): Promise<Outcome> {
        const archive = { store, options, signal }
        const refused: { index: number; reason: string }[] = []
        try {
          for (const [index, { seq }] of items.entries()) {
            if (stored === undefined || seq < stored.from || seq >= stored.to)
              stored = await storeSegment(await findSegment(files, seq), archive, duckdb && { duckdb, files })
            if (stored === undefined || seq >= stored.to) refused.push({ index, reason: GONE })
          }
          await storeCheckpoint(items, archive)
          return { refused, ...(stored && { id: keyOf(stored.from, options) }) }
        } catch (e) {
          return allAgain(items, awsReason(e))
        }
      },
      probe: (signal) => probeArchive({ store, options, signal }),
      close: async () => store.close(),
    }
  }
}

/** Undefined where none can have the entry. */
async function findSegment(files: LedgerFiles, seq: number): Promise<Omit<Segment, 'to'> | undefined> {
  const found = (await listNumbered(files)).findLast(({ firstSeq }) => firstSeq <= seq)
  return found && { path: found.path, from: found.firstSeq }
}

/** What a table is made with. */
interface Tables {
  readonly duckdb: Duckdb
  readonly files: LedgerFiles
}

async function storeSegment(
  segment: Omit<Segment, 'to'> | undefined,
  archive: Archive,
  tables: Tables | undefined,
): Promise<Segment | undefined> {
  if (segment === undefined) return undefined
  const { store, options, signal } = archive
  const { body, lines } = await measure(() => openSegment(segment.path))
  const key = keyOf(segment.from, options)
  if (!(await store.put(key, newObject(body, options, options), signal)) && (await sumOf(store.read(key, signal))) !== body.sum)
    throw failure(OTHER)
  if (tables) await storeTable(segment, archive, tables)
  return { ...segment, to: segment.from + lines }
}

/** Made anew at each try; the one that is there first stays, because two of the same entries need not be the same bytes. */
async function storeTable(
  { path, from }: Omit<Segment, 'to'>,
  { store, options, signal }: Archive,
  { duckdb, files }: Tables,
): Promise<void> {
  const scratch = join(files.directory ?? '', 'sinks', `.parquet-${hash('sha256', `${options.bucket}/${baseOf(options)}`).slice(0, 16)}`)
  makeDirectory(scratch)
  try {
    const table = join(scratch, 'table.parquet')
    await writeParquet(path, table, duckdb)
    const { body } = await measure(() => createReadStream(table))
    await store.put(`${baseOf(options)}parquet/${padded(from)}.parquet`, newObject(body, { mediaType: PARQUET }, options), signal)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const PARQUET = 'application/vnd.apache.parquet'

/** Reads it once, for what has to be known of a body before it is sent. */
async function measure(open: () => Readable): Promise<{ body: NewObject['body'] & StreamBody; lines: number }> {
  const digest = createHash('sha256')
  let bytes = 0
  let lines = 0
  for await (const chunk of open() as AsyncIterable<Buffer>) {
    digest.update(chunk)
    bytes += chunk.length
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
  }
  return { body: { bytes, sum: digest.digest('base64'), open }, lines }
}

async function sumOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of chunks) digest.update(chunk)
  return digest.digest('base64')
}
