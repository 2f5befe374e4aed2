/**
 * Builds every package with `tsc`, in the order of layers.json, then folds each into its entry points.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { bundlePackage } from './bundle.ts'

const layers: { packages: Record<string, string[]> } = JSON.parse(readFileSync('layers.json', 'utf8'))

/** Packages, each after those that it imports. */
export function buildOrder(packages: Record<string, string[]> = layers.packages): string[] {
  const order: string[] = []
  const visit = (name: string): void => {
    if (order.includes(name)) return
    for (const needed of packages[name] ?? []) visit(needed)
    order.push(name)
  }
  for (const name of Object.keys(packages)) visit(name)
  return order
}

function build(name: string): void {
  rmSync(`packages/${name}/dist`, { recursive: true, force: true })
  for (const project of ['tsconfig.json', 'tsconfig.node.json']) {
    const path = `packages/${name}/${project}`
    if (existsSync(path)) execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', path], { stdio: 'inherit' })
  }
}

for (const name of buildOrder()) build(name)
for (const name of buildOrder()) {
  await bundlePackage(`packages/${name}`)
  console.log(`built ${name}`)
}
