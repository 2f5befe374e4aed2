/**
 * The keys of subjects: one file each, outside the ledger, so that deleting one erases what was committed under it
 * wherever copies of the vault may be.
 *
 *   keys/<log_id>/kek                                32 random bytes, 0600
 *   keys/<log_id>/deks/<hex SHA-256(subject_id)>     iv:12 ‖ ciphertext:32 ‖ tag:16, AES-256-GCM under the kek
 *                                                    AAD = UTF-8 of JSON.stringify([LABEL, "dek", log_id, file name])
 *
 * `subject_id` is the subject's name under the ledger's MAC key: neither vault nor file names tell who the subjects are,
 * and no name of a subject is ever a path. Of several processes that make a key one wins; a crash leaves at most a draft that is never
 * read. Source: docs/format.md, "Committed values".
 * @module
 */
import { hash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { LABEL } from '@sworn/verify'
import { errorCode, type FileOps } from '../ledger/file-ops.ts'
import { makeDirectory, readFile, writeNew } from '../ledger/files.ts'
import { type KeyLayout, keyLayout } from '../ledger/layout.ts'
import { keyedHash } from '../redact/keyed-hash.ts'
import { seal, unseal } from './primitives.ts'

export interface SubjectKeys {
  /** The key, made when `make` and there is none. undefined: none, or a file that is not what was written. */
  find(subjectId: string, make: boolean): Uint8Array | undefined
  /** True when a file is there, whatever it holds. */
  has(subjectId: string): boolean
  /** Overwrites, unlinks and syncs; nothing when there is none. Copies that a file system or a backup keeps are beyond its reach. */
  destroy(subjectId: string): void
}

export interface SubjectKeyOptions {
  readonly ops: FileOps
  readonly home: string
  readonly logId: string
  readonly random: (bytes: number) => Uint8Array
}

const IV_BYTES = 12
const KEY_BYTES = 32
const TAG_BYTES = 16
const FILE_BYTES = IV_BYTES + KEY_BYTES + TAG_BYTES
const MAX_KNOWN = 1000

/** A key that was unwrapped, and the bytes of its file: others are another key, whatever inode they have. */
interface Known {
  readonly file: Buffer
  readonly key: Uint8Array
}

/** The subject's name in vault rows. @param macKey the ledger's */
export function subjectIdOf(macKey: Uint8Array, subject: string): string {
  return keyedHash(macKey, ['subject', subject.toWellFormed()])
}

export function createSubjectKeys(options: SubjectKeyOptions): SubjectKeys {
  const { ops, random } = options
  const layout = keyLayout(options.home, options.logId)
  const known = new Map<string, Known>()
  const pathOf = (subjectId: string) => join(layout.deks, hash('sha256', subjectId))

  function read(subjectId: string): Uint8Array | undefined {
    const path = pathOf(subjectId)
    const file = readSized(ops, path, FILE_BYTES)
    const before = known.get(subjectId)
    known.delete(subjectId) // an erased key is not kept in memory either
    if (!file) return undefined
    const key = before?.file.equals(file) ? before.key : unwrap(options, layout, { path, file })
    if (key) known.set(subjectId, { file, key })
    if (known.size > MAX_KNOWN) known.delete(known.keys().next().value ?? '')
    return key
  }

  return {
    has: (subjectId) => ops.stat(pathOf(subjectId)) !== undefined,
    find(subjectId, make) {
      const path = pathOf(subjectId)
      if (make && !ops.stat(path)) wrap(options, layout, path)
      return read(subjectId)
    },
    destroy(subjectId) {
      known.delete(subjectId)
      const path = pathOf(subjectId)
      if (!ops.stat(path)) return
      overwrite(ops, path, random(FILE_BYTES))
      ops.unlink(path)
      ops.syncDirectory(layout.deks)
    },
  }
}

function overwrite(ops: FileOps, path: string, bytes: Uint8Array): void {
  const fd = ops.open(path, 'update')
  try {
    for (let at = 0; at < bytes.length; ) at += ops.writeAt(fd, bytes.subarray(at), at)
    ops.truncate(fd, bytes.length)
    ops.fsync(fd)
  } finally {
    ops.close(fd)
  }
}

function wrap(options: SubjectKeyOptions, layout: KeyLayout, path: string): void {
  const { ops, random } = options
  const kek = findKek(options, layout)
  if (!kek) return
  const iv = random(IV_BYTES)
  createOnce(ops, path, Buffer.concat([iv, seal(kek, iv, random(KEY_BYTES), aadOf(options, path))]), random)
}

interface Wrapped {
  readonly path: string
  readonly file: Buffer
}

function unwrap(options: SubjectKeyOptions, layout: KeyLayout, { path, file }: Wrapped): Uint8Array | undefined {
  const kek = readSized(options.ops, layout.kek, KEY_BYTES)
  return kek && unseal(kek, file.subarray(0, IV_BYTES), file.subarray(IV_BYTES), aadOf(options, path)) // undefined: overwritten, or another log's
}

function aadOf({ logId }: SubjectKeyOptions, path: string): Buffer {
  return Buffer.from(JSON.stringify([LABEL, 'dek', logId, path.slice(dirname(path).length + 1)]))
}

function findKek({ ops, random }: SubjectKeyOptions, { kek }: KeyLayout): Buffer | undefined {
  if (!ops.stat(kek)) createOnce(ops, kek, random(KEY_BYTES), random)
  return readSized(ops, kek, KEY_BYTES)
}

function readSized(ops: FileOps, path: string, bytes: number): Buffer | undefined {
  if (ops.stat(path)?.size !== bytes) return undefined
  return readFile(ops, path)
}

/** A file of these bytes on disk, unless another process was first: then its file counts. */
function createOnce(ops: FileOps, path: string, bytes: Uint8Array, random: SubjectKeyOptions['random']): void {
  makeDirectory(ops, dirname(path))
  const draft = `${path}.${Buffer.from(random(8)).toString('hex')}.new`
  writeNew(ops, draft, bytes, { durable: true })
  try {
    ops.link(draft, path)
  } catch (e) {
    if (errorCode(e) !== 'EEXIST') throw e
  } finally {
    ops.unlink(draft)
  }
  ops.syncDirectory(dirname(path))
}
