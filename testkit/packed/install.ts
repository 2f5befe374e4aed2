/**
 * Installs sworn as a user gets it: every package packed by npm, unpacked into an empty folder, third-party packages
 * copied as the lock file names them. No network, no link into the workspace.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGES = ['verify', 'recorder', 'dialects', 'deliver', 'analyze', 'govern', 'instrument', 'proxy', 'server', 'cli']

interface LockEntry {
  readonly link?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Makes `folder/node_modules` and returns the names of the packed files of each package. */
export function installPacked(folder: string): Record<string, string[]> {
  const modules = join(folder, 'node_modules')
  const tarballs = join(folder, 'tarballs')
  mkdirSync(tarballs, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n')
  const contents: Record<string, string[]> = {}
  for (const dir of PACKAGES) {
    const name: string = JSON.parse(readFileSync(`packages/${dir}/package.json`, 'utf8')).name
    const packed = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--pack-destination', tarballs], { cwd: `packages/${dir}`, encoding: 'utf8' }),
    )
    const first = Array.isArray(packed) ? packed[0] : Object.values(packed)[0]
    contents[name] = first.files.map((file: { path: string }) => file.path)
    mkdirSync(join(modules, name), { recursive: true })
    execFileSync('tar', [
      '-xzf',
      join(tarballs, first.filename.replace('@', '').replace('/', '-')),
      '-C',
      join(modules, name),
      '--strip-components=1',
    ])
  }
  for (const path of thirdParty()) cpSync(path, join(folder, path), { recursive: true, dereference: true })
  mkdirSync(join(modules, '.bin'), { recursive: true })
  writeFileSync(join(modules, '.bin', 'sworn'), `#!/bin/sh\nexec node "$(dirname "$0")/../sworn/sworn.js" "$@"\n`, { mode: 0o755 })
  return contents
}

/** Every installed package that ours need, and theirs, from the lock file; ours are left out. */
function thirdParty(): string[] {
  const packages: Record<string, LockEntry> = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
  const found = new Set<string>()
  const visit = (name: string): void => {
    const path = `node_modules/${name}`
    const entry = packages[path]
    if (!entry || entry.link || found.has(path)) return
    found.add(path)
    for (const needed of Object.keys(entry.dependencies ?? {})) visit(needed)
  }
  for (const dir of PACKAGES) for (const name of Object.keys(packages[`packages/${dir}`]?.dependencies ?? {})) visit(name)
  return [...found]
}

/** True when the folder of a peer has been installed. */
export function hasPeer(name: string): boolean {
  try {
    return readdirSync(`testkit/peers/${name}/node_modules`).length > 0
  } catch {
    return false
  }
}
