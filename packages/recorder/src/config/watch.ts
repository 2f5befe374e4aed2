/**
 * Notices that one of a few files was saved, by whatever way editors and deployments save.
 *
 * The directories are watched, not the files: a save by rename gives the name another inode, and a watch on the
 * old one would never speak again. Events gather for a short while; whoever is told reads the files anew and
 * compares, because a directory speaks of more than was asked.
 * @module
 */
import { watch as nodeWatch, realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'

export interface Closable {
  close(): void
}

export interface WatchOptions {
  /** Watches one directory; throws when it cannot. Node's by default. */
  readonly watch?: (directory: string, listener: (name: string | null) => void) => Closable
  /** Runs `run` once after `ms`; returns what cancels it. A timer by default. */
  readonly after?: (ms: number, run: () => void) => () => void
}

/** How long events gather: longer than the pieces of one save, shorter than a person notices. */
const GATHER_MS = 100

/**
 * Calls `onChange` after something happened to one of `files`, which need not exist.
 *
 * @param onBlind called for each directory that cannot be watched; a directory that does not exist is not told
 */
export function watchFiles(
  files: readonly string[],
  onChange: () => void,
  onBlind: (directory: string) => void,
  { watch = watchDirectory, after = afterTimer }: WatchOptions = {},
): Closable {
  let cancel: (() => void) | undefined
  const gather = () => {
    cancel ??= after(GATHER_MS, () => {
      cancel = undefined
      onChange()
    })
  }
  const watchers = [...namesByDirectory(files)].flatMap(([directory, names]) => {
    try {
      return [watch(directory, (name) => void (concerns(name, names) && gather()))]
    } catch (e) {
      if (!(e instanceof Error && 'code' in e && e.code === 'ENOENT')) onBlind(directory)
      return []
    }
  })
  return {
    close() {
      cancel?.()
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** A name that starts with two dots is how Kubernetes swaps a mounted directory: `..data`. */
function concerns(name: string | null, names: ReadonlySet<string>): boolean {
  return name === null || names.has(name) || name.startsWith('..')
}

/** The named files and, where a name is a link, the file it leads to. */
function namesByDirectory(files: readonly string[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const path of files.flatMap((file) => [file, target(file)])) {
    const directory = dirname(path)
    found.set(directory, (found.get(directory) ?? new Set()).add(basename(path)))
  }
  return found
}

function target(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file // it does not exist yet
  }
}

function watchDirectory(directory: string, listener: (name: string | null) => void): Closable {
  const watcher = nodeWatch(directory, { persistent: false }, (_event, name) => listener(name))
  watcher.on('error', () => watcher.close()) // the directory went away; SIGHUP still reloads
  return watcher
}

function afterTimer(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  timer.unref()
  return () => clearTimeout(timer)
}
