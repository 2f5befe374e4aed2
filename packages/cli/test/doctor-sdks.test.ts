/** `sworn doctor` says which SDKs of a project would be recorded. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sworn, temporary } from './support/io.ts'

test('doctor names the SDKs of a project, and the versions that are not tested', async () => {
  const [home, cwd] = [temporary(), temporary()]
  for (const [name, version] of Object.entries({ openai: '7.1.0', genkit: '9.0.0' })) {
    mkdirSync(join(cwd, 'node_modules', name), { recursive: true })
    writeFileSync(join(cwd, 'node_modules', name, 'package.json'), JSON.stringify({ name, version }))
  }
  const { out } = await sworn(['doctor', '--json'], { home, cwd })
  const { checks } = JSON.parse(out) as { checks: { what: string; ok: boolean; detail: string }[] }
  const said = (name: string) => checks.find(({ what, detail }) => what === name && detail.includes(cwd))
  assert.match(said('openai')?.detail ?? '', /^7\.1\.0: adapter openai, .*can stop: /)
  assert.match(said('genkit')?.detail ?? '', /^9\.0\.0, which is not tested: adapter genkit/)
  assert.equal(said('openai')?.ok, true)
})
