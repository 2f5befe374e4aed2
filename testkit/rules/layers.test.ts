/** Fails when a file imports against layers.json, reaches another package by path, or closes a cycle. @module */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'

interface Layers {
  packages: Record<string, string[]>
  pure: string[]
}
const layers: Layers = JSON.parse(readFileSync('layers.json', 'utf8'))
const files = globSync('packages/*/src/**/*.ts')
const packageOf = (file: string) => file.split('/')[1]!
const ownName = (spec: string) => (spec.startsWith('@sworn/') ? spec.split('/')[1]! : spec === 'sworn' ? 'cli' : undefined)

function importsOf(file: string): string[] {
  return ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles.map((f) => f.fileName)
}

test('every import follows layers.json', () => {
  const wrong: string[] = []
  for (const file of files) {
    const from = packageOf(file)
    for (const spec of importsOf(file)) {
      const to = ownName(spec)
      if (to && !layers.packages[from]?.includes(to)) wrong.push(`${file}: ${from} may not import ${to}`)
      if (spec.startsWith('.') && packageOf(relative('.', join(dirname(file), spec))) !== from)
        wrong.push(`${file}: reach ${spec} by its name`)
      if (spec.startsWith('node:') && layers.pure.includes(from) && !file.endsWith('src/node.ts')) wrong.push(`${file}: ${from} is pure`)
    }
  }
  assert.ok(files.length > 20, `only ${files.length} files were read`)
  assert.deepEqual(wrong, [])
})

test('no import cycle, types included', () => {
  const graph = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((s) => s.startsWith('.'))
        .map((s) => relative('.', join(dirname(file), s))),
    ]),
  )
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    if (done.has(file) || path.includes(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  assert.deepEqual(cycles, [])
})

test('each package declares exactly the packages that layers.json allows and it uses', () => {
  for (const [name, allowed] of Object.entries(layers.packages)) {
    const manifest = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))
    const declared = Object.keys(manifest.dependencies ?? {}).flatMap((d) => ownName(d) ?? [])
    assert.deepEqual(
      declared.filter((d) => !allowed.includes(d)),
      [],
      name,
    )
    assert.equal(manifest.version, JSON.parse(readFileSync('package.json', 'utf8')).version, `${name}: one version`)
  }
})
