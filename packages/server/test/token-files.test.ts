/** The server's tokens as files. @module */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import { openTokenFiles } from '../src/index.ts'

function state(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sworn-tokens-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('the first start makes two tokens that only their owner can read, and the next start finds them', () => {
  const home = state()
  const [report, govern] = openTokenFiles(home)
  assert.deepEqual(openTokenFiles(home), [report, govern])
  assert.notEqual(report?.token, govern?.token)
  assert.deepEqual([report?.may, govern?.may], ['report', 'govern'])
  for (const { token, path } of [report!, govern!]) {
    assert.equal(readFileSync(path, 'utf8'), `${token}\n`)
    assert.deepEqual([statSync(path).mode & 0o777, Buffer.from(token, 'base64url').length], [0o600, 32])
  }
  assert.equal(statSync(join(home, 'server')).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(join(home, 'server')), ['govern.token', 'report.token'])
})

test('a token that others can read is refused, and so is a file that holds none; neither is quoted', () => {
  const home = state()
  const [report] = openTokenFiles(home)
  chmodSync(report!.path, 0o644)
  assert.throws(
    () => openTokenFiles(home),
    (e) => SwornError.is(e, 'CONFIG_INVALID') && e.at === report!.path && !e.message.includes(report!.token),
  )
  for (const text of ['', 'short', 'two words of a sentence']) {
    writeFileSync(report!.path, text)
    chmodSync(report!.path, 0o600)
    assert.throws(
      () => openTokenFiles(home),
      (e) => SwornError.is(e, 'CONFIG_INVALID') && (text === '' || !e.message.includes(text)),
    )
  }
})

test('a state directory that cannot be used is IO_FAILED', () => {
  const home = state()
  writeFileSync(join(home, 'server'), '')
  assert.throws(
    () => openTokenFiles(home),
    (e) => SwornError.is(e, 'IO_FAILED'),
  )
})
