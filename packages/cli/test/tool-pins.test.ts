/** What servers said about their tools, kept from session to session. @module */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { openToolPins, pinsFile } from '../src/tool-pins.ts'
import { temporary } from './support/io.ts'

const silent = () => assert.fail('nothing was to be said')

test('a pin outlives the process that saw the tool, and belongs to the command that starts the server', async () => {
  const file = pinsFile(temporary(), 'log/1')
  const first = openToolPins(file, ['npx', 'files'], silent)
  assert.equal(first.find('read'), undefined)
  first.keep('read', 'sha256:1')
  first.keep('__proto__', 'sha256:2')
  assert.equal(first.find('read'), 'sha256:1')
  await turn()
  openToolPins(file, ['npx', 'mail'], silent).keep('read', 'sha256:3')
  await turn()
  const later = openToolPins(file, ['npx', 'files'], silent)
  assert.deepEqual([later.find('read'), later.find('__proto__'), later.find('toString')], ['sha256:1', 'sha256:2', undefined])
  assert.equal(openToolPins(file, ['npx', 'mail'], silent).find('read'), 'sha256:3')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(readdirSync(dirname(file)).length, 1)
})

test('a file of pins that is none is left as it is, and said once', async () => {
  const file = join(temporary(), 'pins.json')
  writeFileSync(file, 'not ours')
  const said: string[] = []
  const pins = openToolPins(file, ['x'], (_level, text) => void said.push(text))
  for (const tool of ['a', 'b']) {
    pins.keep(tool, 'sha256:1')
    await turn()
  }
  assert.deepEqual([pins.find('a'), said.length, readFileSync(file, 'utf8')], ['sha256:1', 1, 'not ours'])
})
