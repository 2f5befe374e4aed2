/**
 * Folds a package's built JavaScript into its entry points and the chunks they share.
 *
 * Node asks the file system several times for every import of every file: a command of two hundred files starts
 * half as fast. Nothing is minified or renamed; other packages stay imports; declarations stay as `tsc` wrote them.
 * @module
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { build, type Plugin } from 'esbuild'

interface Manifest {
  readonly name: string
  readonly bin?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

/** Files that are started by their path: threads and programs of their own. */
const STARTED: Readonly<Record<string, readonly string[]>> = {
  '@sworn/recorder': ['dist/handover/worker-entry.js'],
  sworn: ['dist/reading/part-worker.js', 'dist/demo/server.js', 'dist/demo/scripted-proxy.js'],
}

/**
 * Replaces `dist/**\/*.js` of the package in `folder`, which must be built.
 * @throws Error when a file that moved would still look for its neighbours in its old place
 */
export async function bundlePackage(folder: string): Promise<void> {
  const dist = join(folder, 'dist')
  const { outputFiles } = await build({
    entryPoints: entriesOf(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).map((path) => join(folder, path)),
    outbase: dist,
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    chunkNames: 'chunk-[hash]',
    legalComments: 'none',
    logLevel: 'error',
    write: false,
    plugins: [keepPlaces(dist)],
  })
  checkPlaces(dist, outputFiles)
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.js')) rmSync(join(dist, file))
  }
  for (const { path, contents } of outputFiles) writeFileSync(path, contents)
}

function entriesOf({ name, bin = {}, exports }: Manifest): string[] {
  const exported = Object.values(exports).flatMap((target) => (typeof target === 'string' ? [] : [target.default]))
  return [...exported, ...Object.values(bin), ...(STARTED[name] ?? [])]
}

/** `import.meta.url` stays the address that the file had before it moved into a file of the folder above. */
function keepPlaces(dist: string): Plugin {
  return {
    name: 'keep places',
    setup(bundle) {
      bundle.onLoad({ filter: /\.js$/ }, ({ path }) => {
        const own = relative(dist, path).split(sep).join('/')
        const contents = readFileSync(path, 'utf8').replaceAll(
          'import.meta.url',
          `new URL(${JSON.stringify(`./${own}`)}, import.meta.url).href`,
        )
        return { contents, loader: 'js' }
      })
    },
  }
}

function checkPlaces(dist: string, files: readonly { readonly path: string; readonly text: string }[]): void {
  const lost = files.filter(({ path, text }) => relative(dist, path).includes(sep) && text.includes('import.meta.url'))
  if (lost.length > 0) throw new Error(`import.meta.url below dist: ${lost.map(({ path }) => relative(dist, path)).join(', ')}`)
}
