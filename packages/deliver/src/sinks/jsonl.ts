/**
 * A file of lines: a copy of the ledger, or its events in any dialect.
 *
 * A batch is on disk when it is accepted. Effectively once: what a crash left behind the last acknowledged size is
 * compared with what comes next and not written again. Moved away by our rotation or another's, the file is begun anew.
 * @module
 */

import { randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isJsonObject, type JsonValue } from '@sworn/verify'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'
import { joinBodies } from './joined.ts'

export interface JsonlOptions {
  readonly path: string
  /** The file is moved to `<path>.YYYYmmdd_HHMMSS` at this size; absent: never. */
  readonly rotateBytes?: number | undefined
  /** Milliseconds since 1970, for that name. */
  readonly now: () => number
}

const LIMITS = { items: 2000, bytes: 4 << 20 }
const MODE = 0o640
const LATE = 'the disk took too long'

/** What was written and not acknowledged: bytes `[at, end)` of the file at hand. */
interface Unacknowledged {
  at: number
  readonly end: number
}

interface State {
  readonly file: FileHandle
  /** Of whole batches. */
  size: number
  left: Unacknowledged | undefined
}

export function jsonlSink(options: JsonlOptions): OpenSink {
  return async (mark) => {
    let state: State | undefined
    let before: Promise<unknown> = Promise.resolve()

    async function write(items: readonly Item[], signal: AbortSignal): Promise<Outcome> {
      if (signal.aborted) return allAgain(items, LATE)
      state = state ? await inPlace(state, options) : await openFile(options.path, mark)
      const bytes = joinBodies(items, { between: '\n', last: '\n' })
      await append(state, bytes)
      const { ino } = await state.file.stat()
      if (!signal.aborted) return { mark: { ino, size: state.size } }
      const at = state.size - bytes.length // whoever waited counts it as not written, and sends it again
      state.left = { at, end: state.left?.end ?? state.size }
      state.size = at
      return allAgain(items, LATE)
    }

    return {
      limits: LIMITS,
      send(items, signal) {
        const turn = before.then(() => write(items, signal)) // a try that came too late may still be writing
        before = turn.catch(() => {}) // met by who sent it
        return turn
      },
      probe: () => probeBeside(options.path),
      async close() {
        await state?.file.close()
      },
    }
  }
}

async function openFile(path: string, mark: JsonValue | undefined): Promise<State> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, MODE)
  const found = await file.stat()
  const size = acknowledged(found, mark)
  return { file, size, left: size < found.size ? { at: size, end: found.size } : undefined }
}

/** Another file than the one that was written last was begun after that: nothing of it is acknowledged. */
function acknowledged({ ino, size }: Stats, mark: JsonValue | undefined): number {
  if (!isJsonObject(mark) || mark.ino !== ino || typeof mark.size !== 'number' || mark.size > size) return 0
  return mark.size
}

/** The file under the path: rotated when it is due, opened again when something else moved it away. */
async function inPlace(state: State, { path, rotateBytes, now }: JsonlOptions): Promise<State> {
  if (rotateBytes !== undefined && state.size >= rotateBytes && !state.left) await rename(path, await freeName(path, now()))
  const [own, there] = await Promise.all([state.file.stat(), stat(path).catch(() => undefined)])
  if (there && there.ino === own.ino && there.dev === own.dev) return state
  await state.file.close()
  return await openFile(path, undefined)
}

/** Two rotations in one second need two names. */
async function freeName(path: string, now: number): Promise<string> {
  const stamp = new Date(now).toISOString().replace(/[-:]/g, '').replace('T', '_').slice(0, 15)
  for (let n = 0; ; n++) {
    const name = `${path}.${stamp}${n === 0 ? '' : `-${n}`}`
    if (!(await stat(name).catch(() => undefined))) return name
  }
}

async function append(state: State, bytes: Buffer): Promise<void> {
  try {
    const rest = state.left ? await behind(state, state.left, bytes) : bytes
    for (let at = 0; at < rest.length; ) at += (await state.file.write(rest, at)).bytesWritten
    await state.file.datasync()
    state.size = state.left ? state.left.at : (await state.file.stat()).size
  } catch (e) {
    const { size } = await state.file.stat()
    state.left = size > state.size ? { at: state.size, end: size } : undefined // part of it may be there
    throw e
  }
}

/** What of `bytes` is not in the file yet. Bytes of somebody else stay; their last line is ended. */
async function behind(state: State, left: Unacknowledged, bytes: Buffer): Promise<Buffer> {
  const there = Buffer.alloc(Math.min(bytes.length, left.end - left.at))
  await state.file.read(there, 0, there.length, left.at)
  if (there.equals(bytes.subarray(0, there.length))) {
    left.at += there.length
    if (left.at === left.end) state.left = undefined
    return bytes.subarray(there.length)
  }
  state.left = undefined
  const last = Buffer.alloc(1)
  await state.file.read(last, 0, 1, left.end - 1)
  return last[0] === 10 ? bytes : Buffer.concat([Buffer.from('\n'), bytes])
}

const PROBE = 'sworn doctor: a probe, no entry\n'

/** The file can be opened, or there is none yet; whether its disk takes bytes is tried with another one, which is taken away again. */
async function probeBeside(path: string): Promise<Probed> {
  const itself = await open(path, constants.O_RDWR | constants.O_APPEND).catch(unlessAbsent)
  await itself?.close()
  const beside = join(await nearest(dirname(path)), `.sworn-probe-${randomUUID()}`)
  const file = await open(beside, 'wx+', MODE)
  try {
    await file.write(PROBE)
    await file.datasync()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(PROBE.length), 0, PROBE.length, 0)
    if (buffer.toString('utf8', 0, bytesRead) !== PROBE) return { wrong: 'what was written is not what is read' }
    return { shown: 'written, read back and removed' }
  } finally {
    await file.close()
    await rm(beside, { force: true })
  }
}

/** The folder, or the first above it that exists: a probe makes none. */
async function nearest(folder: string): Promise<string> {
  return (await stat(folder).catch(unlessAbsent)) || dirname(folder) === folder ? folder : await nearest(dirname(folder))
}

function unlessAbsent(e: NodeJS.ErrnoException): undefined {
  if (e.code !== 'ENOENT') throw e
}
