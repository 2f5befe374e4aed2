/**
 * What of a project's packages an adapter knows, without loading any: for `sworn doctor`.
 *
 * Looks where Node would look from a folder, in the folders above it too, and one level into the packages there, where
 * copies of another version lie. Bounded: at most 2,000 packages are looked into.
 * @module
 */
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Adapter } from './adapter.ts'
import { readManifest } from './find.ts'
import { isTested } from './instrument.ts'
import { ADAPTERS } from './table.ts'

export interface Surveyed {
  readonly package: string
  /** `unknown` when its package.json does not say. */
  readonly version: string
  /** The folder of this copy. */
  readonly path: string
  readonly adapter: string
  /** The version lies within what the tests run with. */
  readonly tested: boolean
  /** A phrase: what of it can be stopped. */
  readonly stops: string
}

const MAX_PACKAGES = 2000

/** One for each copy, those nearest to `folder` first. Never throws. */
export function surveyPackages(folder: string): readonly Surveyed[] {
  const places = placesAbove(folder)
  const nested = places.flatMap(packagesIn).slice(0, MAX_PACKAGES)
  const within = [...places, ...nested.map((path) => join(path, 'node_modules'))]
  return within.flatMap((place) => ADAPTERS.flatMap((adapter) => surveyPlace(adapter, place)))
}

function surveyPlace(adapter: Adapter, place: string): Surveyed[] {
  return adapter.targets.flatMap((target) => {
    const path = join(place, target.pkg)
    const manifest = target.entries.length > 0 ? readManifest(path) : undefined // the others are Node's own
    if (!manifest) return []
    const { version = 'unknown' } = manifest
    return [{ package: target.pkg, version, path, adapter: adapter.id, tested: isTested(version, target), stops: adapter.facts.stops }]
  })
}

function placesAbove(folder: string): readonly string[] {
  const above = dirname(folder)
  return [join(folder, 'node_modules'), ...(above === folder ? [] : placesAbove(above))]
}

function packagesIn(place: string): readonly string[] {
  return namesIn(place).flatMap((name) => {
    const path = join(place, name)
    return name.startsWith('@') ? namesIn(path).map((one) => join(path, one)) : [path]
  })
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'))
  } catch {
    return [] // there is none, or it cannot be read
  }
}
