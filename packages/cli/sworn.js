#!/usr/bin/env node
/**
 * What npm links as `sworn`: the built command line; in a clone, which alone has `src`, the sources as they are now.
 * @module
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const built = new URL('./dist/bin.js', import.meta.url)
const source = fileURLToPath(new URL('./src/bin.ts', import.meta.url))
const isClone = existsSync(source)

if (isClone && process.execve) {
  const [node, , ...args] = process.argv
  process.execve(node, [node, '--disable-warning=ExperimentalWarning', '--conditions=sworn-source', source, ...args], process.env)
} else if (isClone && !existsSync(built)) {
  process.stderr.write(`error: NODE_TOO_OLD node ${process.versions.node} found, 24 needed for sources that were not built\n`)
  process.stderr.write('hint: `npm ci` brings Node 24 on Linux: `npx sworn`; elsewhere `npm run build` first\n')
  process.exitCode = 2
} else {
  await import(built.href)
}
