import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createPrivateFile, readPrivateFile, SwornError } from '../src/index.ts'

const root = mkdtempSync(join(tmpdir(), 'sworn-private-'))
after(() => rmSync(root, { recursive: true }))
const USE = { code: 'KEY_INVALID' } as const

test('a private file is made for its owner alone, once, and no draft is left', () => {
  const path = join(root, 'keys', 'a')
  assert.equal(readPrivateFile(path, USE), undefined)
  createPrivateFile(path, 'first')
  createPrivateFile(path, 'second')
  assert.equal(readPrivateFile(path, USE), 'first')
  assert.deepEqual([statSync(path).mode & 0o777, statSync(join(root, 'keys')).mode & 0o777], [0o600, 0o700])
  assert.deepEqual(readdirSync(join(root, 'keys')), ['a'])
})

test('what others can read or write is refused with the code that was asked for, at the place, without its text', () => {
  const path = join(root, 'open')
  for (const mode of [0o640, 0o604, 0o620]) {
    writeFileSync(path, 'the secret')
    chmodSync(path, mode)
    assert.throws(
      () => readPrivateFile(path, { code: 'CONFIG_INVALID', at: '--header-file' }),
      (e) => SwornError.is(e, 'CONFIG_INVALID') && e.at === '--header-file' && !e.message.includes('secret'),
    )
  }
})

test('a file beyond 1 MiB is refused unread; a folder that is a file, and a file that is a folder, are IO_FAILED', () => {
  const big = join(root, 'big')
  writeFileSync(big, 'x'.repeat((1 << 20) + 1), { mode: 0o600 })
  assert.throws(() => readPrivateFile(big, USE), { code: 'KEY_INVALID' })
  assert.throws(() => createPrivateFile(join(big, 'key'), 'x'), { code: 'IO_FAILED' })
  chmodSync(root, 0o700)
  assert.throws(() => readPrivateFile(root, USE), { code: 'IO_FAILED' })
  assert.equal(readFileSync(big).length, (1 << 20) + 1)
})
