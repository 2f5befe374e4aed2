/** The package asks nothing of its host: bundled for a browser it runs where there is no Node. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { nodePrimitives } from '@sworn/verify/node'
import { build } from 'esbuild'

const ENTRY = `
import { compileFilter, DIALECTS, findForeignFormat } from '@sworn/dialects'
export async function run(primitives) {
  const event = { event_type: 'tool_call_end', timestamp: '2026-03-03T16:32:00.000Z', tool: 'x', seq: 1 }
  const writer = DIALECTS.find(({ name }) => name === 'gantz').openWriter({ primitives, version: '1', origin: 'o' })
  const { lines } = writer.write(event)
  const log = new TextEncoder().encode(lines.join('\\n'))
  const report = await findForeignFormat(log).check(log, { primitives })
  return JSON.stringify([compileFilter('tool == "x"')(event), report.claims.chain.holds])
}`

test('bundled for a browser, it exports, recognises, checks and filters without Node', async () => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: ENTRY, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    metafile: true,
    format: 'iife',
    globalName: 'bundle',
    platform: 'browser',
    conditions: ['sworn-source'],
    logLevel: 'silent',
  })
  assert.deepEqual(
    Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter((one) => one.external).map((one) => one.path)),
    [],
  )
  const sandbox: Record<string, unknown> = { TextEncoder, TextDecoder, primitives: nodePrimitives }
  assert.equal(await runInNewContext(`${outputFiles[0]!.text}; bundle.run(primitives)`, sandbox), '[true,true]')
})
