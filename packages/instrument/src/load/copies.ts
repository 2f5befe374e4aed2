/** Which package a file belongs to, and what it hands over. @module */
import type { Target } from '../adapter.ts'
import { type Manifest, readManifest } from '../find.ts'
import { type Copy, footerOf } from './footer.ts'

const PLACE = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/](.+)$/

export interface FooterOptions {
  readonly format: Copy['format']
  /** How the file is named in reports. */
  readonly named: string
}

/** Undefined for a file that no target knows. Each package's manifest is read once. */
export function createFooters(targets: readonly Target[]): (path: string, options: FooterOptions) => string | undefined {
  const manifests = new Map<string, Manifest | undefined>()
  return (path, { format, named }) => {
    const [, folder, file] = PLACE.exec(path) ?? []
    if (folder === undefined || file === undefined) return undefined
    if (!manifests.has(folder)) manifests.set(folder, readManifest(folder))
    const { name: pkg = nameOf(folder), version } = manifests.get(folder) ?? {}
    const inside = file.replaceAll('\\', '/')
    const known = targets.find((target) => target.pkg === pkg)?.files?.find((one) => one.file.test(inside))
    return known && footerOf({ pkg, path: named, format, ...(version !== undefined && { version }) }, known)
  }
}

function nameOf(folder: string): string {
  const [, scope, name = ''] = /(?:(@[^\\/]+)[\\/])?([^\\/]+)$/.exec(folder) ?? []
  return scope === undefined ? name : `${scope}/${name}`
}

/** As it stands below the `node_modules` that it was found in: the same on every machine. */
export function placeOf(path: string): string {
  const [, folder = '', file = ''] = PLACE.exec(path) ?? []
  return `node_modules/${nameOf(folder)}/${file}`.replaceAll('\\', '/')
}
