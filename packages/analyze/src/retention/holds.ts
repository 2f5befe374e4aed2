/**
 * Legal holds: queries whose entries no retention drops, until somebody releases them.
 *
 * Kept in `keys/<log_id>/holds.json`, beside the keys and outside the ledger: whoever can only write the ledger's directory releases
 * none. Adding and releasing are recorded by the caller. A file that cannot be read holds everything.
 * Source: docs/guides/erasure-and-retention.md.
 * @module
 */
import { join } from 'node:path'
import { compileFilter } from '@sworn/dialects/filter'
import { readPrivateFile, replacePrivateFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import type { Entry } from '../reading/entry.ts'

export interface Hold {
  /** Lowercase letters, digits, `.`, `_` and `-`; at most 64. */
  readonly name: string
  /** CEL over the event: docs/reference/filters.md. */
  readonly where: string
  readonly reason: string
  /** RFC 3339. */
  readonly since: string
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
/** With filters of 4,096 characters they fit into the 1 MiB that is read. */
const MAX_HOLDS = 100

/** @param keys the directory `keys/<log_id>`. @throws SwornError CONFIG_INVALID when the file is not what was written, or not its owner's alone */
export function readHolds(keys: string): readonly Hold[] {
  const path = pathOf(keys)
  const text = readPrivateFile(path, { code: 'CONFIG_INVALID' })
  if (text === undefined) return []
  const holds = parse(text)
  if (!holds) throw new SwornError('CONFIG_INVALID', 'a list of legal holds was expected; while it cannot be read nothing is dropped', path)
  return holds
}

function parse(text: string): readonly Hold[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every(isHold) ? value : undefined
  } catch {
    return undefined
  }
}

function isHold(value: unknown): value is Hold {
  if (typeof value !== 'object' || value === null) return false
  const { name, where, reason, since } = value as Partial<Record<keyof Hold, unknown>> // an object, checked above
  return [name, where, reason, since].every((text) => typeof text === 'string')
}

/** Puts a hold on disk. @throws SwornError USAGE for a name that is none or taken, FILTER_INVALID */
export function addHold(keys: string, hold: Hold): void {
  const holds = readHolds(keys)
  if (!NAME.test(hold.name)) throw new SwornError('USAGE', 'a name of lowercase letters, digits, ".", "_" and "-" was expected')
  if (holds.some(({ name }) => name === hold.name)) throw new SwornError('USAGE', 'a hold of this name is there', hold.name)
  if (holds.length >= MAX_HOLDS) throw new SwornError('USAGE', `at most ${MAX_HOLDS} holds were expected`)
  compileFilter(hold.where)
  write(keys, [...holds, hold])
}

/** Takes a hold away; returns it. @throws SwornError USAGE when there is none of this name */
export function releaseHold(keys: string, name: string): Hold {
  const holds = readHolds(keys)
  const found = holds.find((hold) => hold.name === name)
  if (!found) throw new SwornError('USAGE', 'no hold of this name is there', name)
  write(
    keys,
    holds.filter((hold) => hold !== found),
  )
  return found
}

/** The name of a hold that an entry is under. */
export function createHoldTest(holds: readonly Hold[]): (entry: Entry) => string | undefined {
  const tests = holds.map(({ name, where }) => ({ name, holds: compileFilter(where) }))
  return (entry) => tests.find((test) => test.holds(entry))?.name
}

function write(keys: string, holds: readonly Hold[]): void {
  replacePrivateFile(pathOf(keys), `${JSON.stringify(holds, null, 2)}\n`)
}

function pathOf(keys: string): string {
  return join(keys, 'holds.json')
}
