/**
 * The packages as they are published, without `tsc`: every source file turned into JavaScript once, then folded into
 * the entry points as the build does it.
 *
 * What a user starts is JavaScript; starting from TypeScript would measure Node's type stripping instead.
 * @module
 */
import { globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundlePackage } from '../../testkit/bundle.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Writes all packages under `dir` and gives back the folder of the package `sworn`. */
export async function stagePackages(dir: string): Promise<string> {
  const modules = join(dir, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@sworn' && name !== 'sworn') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  const staged = readdirSync(join(ROOT, 'packages')).map((folder) => stagePackage(join(ROOT, 'packages', folder), modules))
  for (const folder of staged) await bundlePackage(folder)
  return join(modules, 'sworn')
}

/** @returns its folder */
function stagePackage(from: string, modules: string): string {
  const text = readFileSync(join(from, 'package.json'), 'utf8')
  const to = join(modules, (JSON.parse(text) as { name: string }).name) // our own package.json
  mkdirSync(to, { recursive: true })
  writeFileSync(join(to, 'package.json'), text)
  for (const file of globSync('src/**/*.ts', { cwd: from })) {
    if (file.endsWith('.d.ts')) continue
    const out = join(to, file.replace(/^src/, 'dist').replace(/\.ts$/, '.js'))
    mkdirSync(dirname(out), { recursive: true })
    writeFileSync(out, toJavaScript(readFileSync(join(from, file), 'utf8')))
  }
  const own = join(from, 'node_modules')
  if (globSync(own).length > 0) symlinkSync(own, join(to, 'node_modules'))
  return to
}

/** Types out, relative imports to the files that stand there: what the build writes, but for comments and spaces. */
function toJavaScript(source: string): string {
  return stripTypeScriptTypes(source).replace(/(['"])(\.{1,2}\/[^'"\n]+)\.ts\1/g, '$1$2.js$1')
}
