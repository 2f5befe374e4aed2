/** The lock file must install everywhere: complete, no download addresses, no install scripts at run time, licences known. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

interface Entry {
  resolved?: string
  link?: boolean
  hasInstallScript?: boolean
  license?: string
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}
const packages: Record<string, Entry> = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

/** Where `name` is found from `path`, as Node looks for it. */
function resolved(path: string, name: string): string | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const found = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`
    if (packages[found]) return found
    if (at === '') return undefined
  }
}

/** What installing our packages brings, drivers that a user adds for one sink left out: path -> entry. */
function shippedPackages(): Map<string, Entry> {
  const found = new Map<string, Entry>()
  const visit = (path: string, { dependencies = {}, optionalDependencies = {} }: Entry): void => {
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = resolved(path, name)
      const entry = at === undefined ? undefined : packages[at]
      if (at === undefined || !entry || entry.link || found.has(at)) continue
      found.set(at, entry)
      visit(at, entry)
    }
  }
  for (const [path, entry] of Object.entries(packages)) if (/^packages\/[a-z]+$/.test(path)) visit(path, entry)
  return found
}
const shipped = shippedPackages()

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
  assert.ok(shipped.size > 5)
  assert.deepEqual(
    [...shipped].filter(([, e]) => e.hasInstallScript).map(([path]) => path),
    [],
  )
  const permissive = /^\(?(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0)/
  assert.deepEqual(
    [...shipped].filter(([, e]) => e.license && !permissive.test(e.license)).map(([path, e]) => `${path} ${e.license}`),
    [],
  )
})

test('dependency budgets hold: verify 0, recorder at most 4, sworn at most 42 packages of others', () => {
  const manifest = (dir: string) => JSON.parse(readFileSync(`packages/${dir}/package.json`, 'utf8')).dependencies ?? {}
  assert.equal(Object.keys(manifest('verify')).length, 0)
  assert.ok(Object.keys(manifest('recorder')).filter((d) => !d.startsWith('@sworn/')).length <= 4)
  assert.ok(shipped.size <= 42, `${shipped.size} packages`)
})

test('every runtime dependency has its line in DEPENDENCIES.md', () => {
  const page = readFileSync('DEPENDENCIES.md', 'utf8')
  const used = Object.keys(JSON.parse(readFileSync('layers.json', 'utf8')).packages).flatMap((dir) =>
    Object.keys(JSON.parse(readFileSync(`packages/${dir}/package.json`, 'utf8')).dependencies ?? {}),
  )
  const missing = [...new Set(used)].filter((d) => !d.startsWith('@sworn/') && !page.includes(`| \`${d}\` |`))
  assert.deepEqual(missing, [])
})
