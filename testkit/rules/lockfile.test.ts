/** The lock file must install everywhere: complete, no download addresses, no install scripts at run time, licences known. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

interface Entry {
  resolved?: string
  link?: boolean
  dev?: boolean
  devOptional?: boolean
  hasInstallScript?: boolean
  license?: string
  optionalDependencies?: Record<string, string>
}
const packages: Record<string, Entry> = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

test('every optional dependency has its entry, so that npm ci works on every machine', () => {
  const names = new Set(Object.keys(packages).map(nameOf))
  const missing = Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !names.has(name))
      .map((name) => `${path || 'root'} wants ${name}`),
  )
  assert.deepEqual(missing, [])
})

test('the lock file names no download address', () => {
  assert.deepEqual(
    Object.entries(packages)
      .filter(([, e]) => e.resolved && !e.link)
      .map(([path]) => path),
    [],
  )
})

test('what is installed with sworn needs no install script and has a permissive licence', () => {
  const shipped = Object.entries(packages).filter(([path, e]) => path.includes('node_modules/') && !e.link && !e.dev && !e.devOptional)
  assert.ok(shipped.length > 5)
  assert.deepEqual(
    shipped.filter(([, e]) => e.hasInstallScript).map(([path]) => path),
    [],
  )
  const permissive = /^\(?(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0)/
  assert.deepEqual(
    shipped.filter(([, e]) => e.license && !permissive.test(e.license)).map(([path, e]) => `${path} ${e.license}`),
    [],
  )
})

test('dependency budgets hold: verify 0, recorder at most 4, sworn at most 42 packages', () => {
  const manifest = (dir: string) => JSON.parse(readFileSync(`packages/${dir}/package.json`, 'utf8')).dependencies ?? {}
  assert.equal(Object.keys(manifest('verify')).length, 0)
  assert.ok(Object.keys(manifest('recorder')).filter((d) => !d.startsWith('@sworn/')).length <= 4)
  const shipped = Object.entries(packages).filter(([path, e]) => path.startsWith('node_modules/') && !e.link && !e.dev && !e.devOptional)
  assert.ok(shipped.length - 2 <= 42, `${shipped.length} packages`)
})

test('every runtime dependency has its line in DEPENDENCIES.md', () => {
  const page = readFileSync('DEPENDENCIES.md', 'utf8')
  const used = ['verify', 'recorder', 'govern', 'proxy', 'server', 'cli'].flatMap((dir) =>
    Object.keys(JSON.parse(readFileSync(`packages/${dir}/package.json`, 'utf8')).dependencies ?? {}),
  )
  const missing = [...new Set(used)].filter((d) => !d.startsWith('@sworn/') && !page.includes(`| \`${d}\` |`))
  assert.deepEqual(missing, [])
})
