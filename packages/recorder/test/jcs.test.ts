/** RFC 8785 as the recorder uses it, on the public vectors. @module */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import canonicalize from 'canonicalize'

const root = process.env.SWORN_VECTORS
  ? pathToFileURL(`${process.env.SWORN_VECTORS}/`)
  : new URL('../../../../shared/vectors/', import.meta.url)
const jcs = new URL('tlog/jcs/', root)
const absent = existsSync(jcs) ? false : 'the shared vectors are not here'
if (absent) console.error(`SKIPPED: ${absent}`)

test('every file of the RFC gives its exact bytes', { skip: absent }, () => {
  const names = readdirSync(new URL('input/', jcs))
  assert.equal(names.length, 6)
  for (const name of names) {
    const bytes = Buffer.from(canonicalize(JSON.parse(readFileSync(new URL(`input/${name}`, jcs), 'utf8'))) ?? '')
    const hex = readFileSync(new URL(`outhex/${name.replace('.json', '.txt')}`, jcs), 'utf8').replace(/\s/g, '')
    assert.equal(bytes.toString('hex'), hex, name)
  }
})

test('10,000 numbers print as ECMAScript prints them', { skip: absent }, () => {
  const lines = readFileSync(new URL('es6numbers-10000.csv', jcs), 'utf8').trimEnd().split('\n')
  assert.equal(lines.length, 10_000)
  const view = new DataView(new ArrayBuffer(8))
  for (const line of lines) {
    const [hex = '', text] = line.split(',')
    view.setBigUint64(0, BigInt(`0x${hex}`))
    assert.equal(canonicalize(view.getFloat64(0)), text, hex)
  }
})
