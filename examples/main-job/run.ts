/**
 * The main job on real input: the reference filesystem server behind `sworn proxy`, driven by the MCP client
 * SDK; then verification, and three forgeries being caught. `npm start` runs it.
 * @module
 */
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPlan } from '../../packages/cli/src/commands/demo.ts'
import { runDemo } from '../../packages/cli/src/demo/script.ts'
import { createNodeIo } from '../../packages/cli/src/frame/node-io.ts'

const ledger = resolve(process.env.SWORN_EXAMPLE_LEDGER ?? 'audit')
const bin = fileURLToPath(new URL('../../packages/cli/src/bin.ts', import.meta.url))
const server = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'))

if (existsSync(ledger)) {
  const aside = `${ledger}.${new Date().toISOString().replaceAll(':', '')}`
  renameSync(ledger, aside)
  console.log(`an earlier ledger was moved aside to ${aside}`)
}
const place = mkdtempSync(join(tmpdir(), 'sworn-main-job-'))
const io = Object.create(createNodeIo(), { self: { value: [process.execPath, ...process.execArgv, bin] } })
const plan = createPlan({ place, ledger, server: [process.execPath, server], io })
process.exitCode = await runDemo(plan, io)
console.log(`
The ledger stays in ${ledger}; its keys in ${plan.home}. Look at it:
  export SWORN_HOME=${plan.home}
  npx sworn verify ${ledger}
  npx sworn query ${ledger} --decision deny
  tail -n 3 ${ledger}/segments/*.jsonl`)
for (const n of [0, 1, 2]) rmSync(join(place, `forged-${n}`), { recursive: true, force: true })
