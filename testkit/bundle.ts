/**
 * Folds a package's built JavaScript into its entry points and the chunks they share.
 *
 * Node asks the file system several times for every import of every file: a command of two hundred files starts
 * half as fast. Nothing is minified or renamed; other packages stay imports; declarations stay as `tsc` wrote them.
 * @module
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { build, type Plugin } from 'esbuild'

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

/** Files that are started by their path: threads and programs of their own. */
const STARTED: Readonly<Record<string, readonly string[]>> = {
  '@sworn/analyze': ['dist/alerts/worker-entry.js', 'dist/index/batch-worker.js', 'dist/index/live-worker.js', 'dist/query/scan-worker.js'],
  '@sworn/deliver': ['dist/aside-worker.js'],
  '@sworn/recorder': ['dist/handover/worker-entry.js'],
  sworn: ['dist/bin.js', 'dist/reading/part-worker.js', 'dist/demo/server.js', 'dist/demo/scripted-proxy.js'],
}

/** Files that are loaded alone, before anything else: whole, with what they import from other packages, and shared with nobody. */
const ALONE: Readonly<Record<string, readonly string[]>> = { sworn: ['dist/answering/ask.js'] }

/** What is folded in with us, package by package: others' code that is part of the build, and is named in THIRD-PARTY.md. */
const FOLDED: Readonly<Record<string, readonly string[]>> = {
  '@sworn/analyze': ['kysely'],
  '@sworn/proxy': ['protobufjs/minimal.js', 'long'],
}

/** Replaces `dist/**\/*.js` of the package in `folder`, which must be built. */
export async function bundlePackage(folder: string): Promise<void> {
  const dist = join(folder, 'dist')
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const common = {
    outbase: dist,
    outdir: dist,
    bundle: true,
    format: 'esm',
    platform: 'node',
    legalComments: 'none',
    logLevel: 'error',
    write: false,
  } as const
  const alone = (ALONE[manifest.name] ?? []).map((path) => resolve(folder, path))
  const { outputFiles } = await build({
    ...common,
    entryPoints: entriesOf(manifest).map((path) => join(folder, path)),
    splitting: true,
    packages: 'external',
    chunkNames: 'chunk-[hash]',
    plugins: [foldIn(FOLDED[manifest.name] ?? []), keepPlaces(dist), leaveOut(alone)],
  })
  const whole = await build({ ...common, entryPoints: alone })
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.js')) rmSync(join(dist, file))
  }
  for (const { path, text } of whole.outputFiles) writeFileSync(path, text)
  for (const { path, text } of outputFiles) writeFileSync(path, fromHere(text, dist, path))
}

function entriesOf({ name, exports }: Manifest): string[] {
  const exported = Object.values(exports).flatMap((target) => (typeof target === 'string' ? [] : [target.default]))
  return [...exported, ...(STARTED[name] ?? [])]
}

/** They stay files of their own; whoever imports them lies in `dist` itself. */
function leaveOut(alone: readonly string[]): Plugin {
  return {
    name: 'leave out',
    setup(bundle) {
      bundle.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
        const found = alone.includes(join(resolveDir, path))
        return found ? { path, external: true } : undefined
      })
    },
  }
}

/** These modules are found and folded in, where `packages: 'external'` would leave an import. */
function foldIn(modules: readonly string[]): Plugin {
  const require = createRequire(import.meta.url)
  return {
    name: 'fold in',
    setup(bundle) {
      for (const name of modules) bundle.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: require.resolve(name) }))
    },
  }
}

/** `import.meta.url` stays the address that the file had before it moved into another; `fromHere` says where that is. */
function keepPlaces(dist: string): Plugin {
  return {
    name: 'keep places',
    setup(bundle) {
      bundle.onLoad({ filter: /\.js$/ }, ({ path }) => {
        const place = JSON.stringify(`place:${toPosix(relative(dist, path))}`)
        const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`)
        return { contents, loader: 'js' }
      })
    },
  }
}

/** Every place as seen from the file at `path`. */
function fromHere(text: string, dist: string, path: string): string {
  return text.replaceAll(/"place:([^"]+)"/g, (_, own: string) => JSON.stringify(`./${toPosix(relative(dirname(path), join(dist, own)))}`))
}

function toPosix(path: string): string {
  return path.split(sep).join('/')
}
