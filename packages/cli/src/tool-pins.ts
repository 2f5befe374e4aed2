/**
 * How the tools of a server were described when they were first seen, kept beside the keys of the ledger.
 *
 * One file a ledger, below the state directory, which no governed tool may write. A server is the command that starts
 * it: the name that it gives itself could be another one tomorrow. What cannot be kept is said once, and what was kept
 * before stays; the session goes on with what it saw itself, of at most 10,000 tools. Source: policy.md §6.1 (`schema_hash`).
 * @module
 */
import { hash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ToolPins } from '@sworn/proxy'
import type { Say } from './frame/say.ts'

type Pins = Record<string, Record<string, string>>

const MAX_BYTES = 16 * 1024 * 1024
const MAX_TOOLS = 10_000

/** Of one ledger, below the state directory `home`. */
export function pinsFile(home: string, logId: string): string {
  return join(home, 'tools', `${hash('sha256', logId).slice(0, 32)}.json`)
}

/** @param server the command and its arguments */
export function openToolPins(file: string, server: readonly string[], say: Say): ToolPins {
  const key = hash('sha256', JSON.stringify(server))
  const added = new Map<string, string>()
  let known: ReadonlyMap<string, string> | undefined
  let scheduled = false
  let isSaid = false

  function save(): void {
    scheduled = false
    try {
      const pins = readPins(file)
      pins[key] = { ...pins[key], ...Object.fromEntries(added) }
      writePins(file, pins)
    } catch {
      if (!isSaid) say('warn', 'what the server says about its tools cannot be kept: a change is noticed within this session only')
      isSaid = true
    }
  }

  return {
    find(tool) {
      known ??= new Map(Object.entries(readQuietly(file)[key] ?? {}))
      return added.get(tool) ?? known.get(tool)
    },
    keep(tool, seen) {
      if (added.size >= MAX_TOOLS && !added.has(tool)) return
      added.set(tool, seen)
      if (scheduled) return
      scheduled = true
      setImmediate(save)
    },
  }
}

function readQuietly(file: string): Pins {
  try {
    return readPins(file)
  } catch {
    return {} // `save` says that it cannot be kept
  }
}

/** @throws Error when the file is there and is not ours */
function readPins(file: string): Pins {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return {} // an error of node:fs
    throw e
  }
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value) || text.length > MAX_BYTES)
    throw new TypeError('pins were expected')
  return Object.assign(Object.create(null), value)
}

/** Whole or not at all, and never larger than is read; of two proxies that write at once the later one counts, and the other's pins are seen again. */
function writePins(file: string, pins: Pins): void {
  const text = JSON.stringify(pins)
  if (text.length > MAX_BYTES) throw new RangeError('fewer pins were expected')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, text, { mode: 0o600 })
  renameSync(fresh, file)
}
