/**
 * FileOps that fail on command: at the n-th step that changes anything, in one of the ways a disk fails.
 *
 * `failed`: the step had no effect. `persisted`: it took effect and still reported an error.
 * `short`: half of a write arrived. `lost`: a sync reported an error and the dirty pages are gone from
 * the disk's view although reading still shows them. `crash`: this step and all later ones throw.
 * Source: ledger.md §4.3.
 * @module
 */
import type { FileOps } from '../../../packages/recorder/src/ledger/file-ops.ts'

export type Fault = 'failed' | 'persisted' | 'short' | 'lost' | 'crash'

export interface FaultPlan {
  /** Counted from 0 over all changing steps; -1: never. */
  at: number
  fault: Fault
  /** Node's error code, such as EIO or ENOSPC. */
  code: string
  /** Only steps of these kinds are counted; all when absent. */
  only?: readonly ChangeName[]
}

export type ChangeName =
  | 'open'
  | 'write'
  | 'fdatasync'
  | 'fsync'
  | 'truncate'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'mkdir'
  | 'syncDirectory'
  | 'chmod'

export interface FaultyOps extends FileOps {
  readonly plan: FaultPlan
  /** Changing steps so far, and the name of each. */
  readonly steps: readonly ChangeName[]
}

/** Marks the error of a simulated power cut. */
export const CRASH = 'ECRASH'

export function faultyOps(inner: FileOps & { loseUnsynced?(fd: number): void }, plan: FaultPlan): FaultyOps {
  const steps: ChangeName[] = []
  let crashed = false
  function guard<T>(name: ChangeName, run: () => T, half?: () => unknown): T {
    if (crashed) throw fault(CRASH)
    if (plan.only && !plan.only.includes(name)) return run()
    const hit = steps.push(name) - 1 === plan.at
    if (!hit) return run()
    if (plan.fault === 'crash') crashed = true
    else if (plan.fault === 'persisted') run()
    else if (plan.fault === 'short' || plan.fault === 'lost') half?.()
    throw fault(plan.fault === 'crash' ? CRASH : plan.code)
  }
  return {
    plan,
    steps,
    open: (path, mode) => (mode === 'create' ? guard('open', () => inner.open(path, mode)) : inner.open(path, mode)),
    close: (fd) => inner.close(fd),
    read: (fd, target, position) => inner.read(fd, target, position),
    write: (fd, bytes) =>
      guard(
        'write',
        () => inner.write(fd, bytes),
        () => inner.write(fd, bytes.subarray(0, bytes.length >> 1)),
      ),
    writeAt: (fd, bytes, position) =>
      guard(
        'write',
        () => inner.writeAt(fd, bytes, position),
        () => inner.writeAt(fd, bytes.subarray(0, bytes.length >> 1), position),
      ),
    fdatasync: (fd) =>
      guard(
        'fdatasync',
        () => inner.fdatasync(fd),
        () => inner.loseUnsynced?.(fd),
      ),
    fsync: (fd) =>
      guard(
        'fsync',
        () => inner.fsync(fd),
        () => inner.loseUnsynced?.(fd),
      ),
    truncate: (fd, size) => guard('truncate', () => inner.truncate(fd, size)),
    fstat: (fd) => inner.fstat(fd),
    stat: (path) => inner.stat(path),
    rename: (from, to) => guard('rename', () => inner.rename(from, to)),
    link: (from, to) => guard('link', () => inner.link(from, to)),
    unlink: (path) => guard('unlink', () => inner.unlink(path)),
    mkdir: (path) => guard('mkdir', () => inner.mkdir(path)),
    readdir: (path) => inner.readdir(path),
    chmod: (path, mode) => guard('chmod', () => inner.chmod(path, mode)),
    syncDirectory: (path) => guard('syncDirectory', () => inner.syncDirectory(path)),
    realpath: (path) => inner.realpath(path),
  }
}

function fault(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}
