/**
 * The copies of a package that an application can resolve, loaded as the application would load them.
 *
 * From its entry file and from its folder, by `import` and by `require`: many SDKs have another class for each.
 * Resolution is Node's own; what cannot be resolved or loaded is not there.
 * @module
 */
import { readFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Found, Target } from './adapter.ts'

/** Files and folders (with a trailing slash) to resolve from, as file URLs. */
export function applicationBases(entry: string | undefined = process.argv[1], folder: string = process.cwd()): readonly string[] {
  const bases = [pathToFileURL(join(folder, '/')).href]
  return entry === undefined ? bases : [pathToFileURL(entry).href, ...bases]
}

/** One for each file that was found, in no particular order. Never rejects. */
export async function findCopies(target: Target, bases: readonly string[]): Promise<readonly Found[]> {
  const found = new Map<string, Found>()
  for (const base of bases)
    for (const entry of target.entries)
      for (const copy of await copiesOf(target, entry, base)) if (copy && !found.has(copy.path)) found.set(copy.path, copy)
  return [...found.values()]
}

async function copiesOf(target: Target, entry: string, base: string): Promise<readonly (Loaded | undefined)[]> {
  if (target.isGlobal) return [locateFrom(target, entry, base)]
  return [await importFrom(target, entry, base), requireFrom(target, entry, base)]
}

type Loaded = Found & { readonly path: string }

async function importFrom({ pkg }: Target, entry: string, base: string): Promise<Loaded | undefined> {
  const asked = `sworn-find:${base}#${entry}`
  let path: string | undefined
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== asked) return next(specifier, context)
      const resolved = next(entry, { ...context, parentURL: base })
      path = fileURLToPath(resolved.url)
      return resolved
    },
  })
  try {
    const module: unknown = await import(asked)
    return path === undefined ? undefined : describe(pkg, path, 'esm', module)
  } catch {
    return undefined
  } finally {
    hooks.deregister()
  }
}

function locateFrom({ pkg }: Target, entry: string, base: string): Loaded | undefined {
  try {
    return describe(pkg, createRequire(base).resolve(entry), 'global', undefined)
  } catch {
    return undefined
  }
}

function requireFrom({ pkg }: Target, entry: string, base: string): Loaded | undefined {
  try {
    const require = createRequire(base)
    const path = require.resolve(entry)
    return describe(pkg, path, 'cjs', require(entry))
  } catch {
    return undefined
  }
}

function describe(pkg: string, path: string, format: Found['format'], module: unknown): Loaded {
  const version = versionOf(pkg, path)
  return { pkg, path, format, module, ...(version !== undefined && { version }) }
}

const MAX_UP = 12

/** From the nearest package.json above `path` that has the package's name. */
function versionOf(pkg: string, path: string): string | undefined {
  let folder = dirname(path)
  for (let up = 0; up < MAX_UP && folder !== dirname(folder); up++, folder = dirname(folder)) {
    const manifest = readManifest(folder)
    if (manifest?.version !== undefined && (manifest.name === pkg || folder.endsWith(join('node_modules', pkg)))) return manifest.version
  }
  return undefined
}

export interface Manifest {
  readonly name?: string
  readonly version?: string
}

/** The package.json in `folder`, where it can be read. */
export function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}
