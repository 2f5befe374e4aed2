/** What doctor says of a project: each copy that could be loaded, without loading any. @module */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { surveyPackages } from '@sworn/instrument'

test('every copy below and above a folder is named with its version, also inside another package; what is unreadable is not', () => {
  const root = mkdtempSync(join(tmpdir(), 'sworn-survey-'))
  const project = join(root, 'packages', 'app')
  const put = (place: string, manifest: string) => {
    mkdirSync(join(root, place), { recursive: true })
    writeFileSync(join(root, place, 'package.json'), manifest)
  }
  put('node_modules/openai', '{ "version": "7.1.0" }')
  put('node_modules/@mastra/core', '{ "version": "2.0.0" }')
  put('node_modules/@scope/bot/node_modules/openai', '{ "version": "4.104.0" }')
  put('packages/app/node_modules/ai', '{}')
  put('node_modules/genkit', 'no json')
  put('node_modules/left-pad', '{ "version": "1.0.0" }')
  try {
    const found = surveyPackages(project).filter(({ path }) => path.startsWith(root))
    assert.deepEqual(
      found.map((one) => [one.package, one.version, one.adapter, one.tested]),
      [
        ['ai', 'unknown', 'ai-sdk', false],
        ['openai', '7.1.0', 'openai', true],
        ['@mastra/core', '2.0.0', 'mastra', false],
        ['openai', '4.104.0', 'openai', false],
      ],
    )
    assert.match(found[0]?.stops ?? '', /tools/)
    assert.deepEqual(
      surveyPackages(join(root, 'nowhere')).filter(({ path }) => path.startsWith(join(root, 'nowhere'))),
      [],
    )
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
