/** The key that the operator brings: AIP's `signing_key`, with the file signer. @module */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ErrorCode, SwornError } from '@sworn/verify'
import { nodeFileOps } from '../src/ledger/file-ops.ts'
import { openLedger } from '../src/ledger/ledger.ts'
import { loadKeyFile } from '../src/signers/signer.ts'
import { temporaryDirectory } from './support/temporary.ts'

interface Case {
  readonly path: string
  readonly home: string
  readonly signingKey: string
}

function place(): Case {
  const root = temporaryDirectory()
  return { path: join(root, 'audit'), home: join(root, 'home'), signingKey: join(root, 'audit-signing-key.pem') }
}

const make = (options: Case) => {
  const ledger = openLedger(options)
  const { info } = ledger
  ledger.close()
  return info
}

const vkeyOf = (file: string, origin: string) => loadKeyFile(nodeFileOps, file, origin).key.vkey

function vkeyInLedger(path: string): string {
  const segment = readdirSync(join(path, 'segments')).find((name) => name.endsWith('.jsonl'))!
  return JSON.parse(readFileSync(join(path, 'segments', segment), 'utf8').split('\n')[0]!).vkey
}

function refused(options: Case, code: ErrorCode): SwornError {
  try {
    openLedger(options).close()
  } catch (e) {
    assert.ok(SwornError.is(e, code), String(e))
    return e
  }
  throw new Error('nothing was refused')
}

test('a new ledger is signed by the key file that the operator names; a missing one is made, 0600', () => {
  const here = place()
  const { origin } = make(here)
  assert.equal(statSync(here.signingKey).mode & 0o777, 0o600)
  assert.equal(vkeyInLedger(here.path), vkeyOf(here.signingKey, origin))
  make(here) // and it opens again
})

test('a ledger goes on when its owner has put the key file away, and refuses another key by name', () => {
  const here = place()
  make(here)
  rmSync(here.signingKey)
  make(here)
  const other = place()
  make(other)
  const e = refused({ ...here, signingKey: other.signingKey }, 'CONFIG_INVALID')
  assert.match(e.message, /signed by another key.*audit\.signing_key/)
})

test('a key that others can read, that is no Ed25519 key, or that lies in the ledger is refused and nothing is made', () => {
  const open = place()
  make(open)
  const readable = { ...place(), signingKey: open.signingKey }
  chmodSync(open.signingKey, 0o644)
  assert.match(refused(readable, 'KEY_INVALID').message, /mode 0600/)
  const foreign = place()
  writeFileSync(foreign.signingKey, 'not a key\n', { mode: 0o600 })
  const e = refused(foreign, 'KEY_INVALID')
  assert.doesNotMatch(e.message, /not a key\n/)
  const inside = place()
  mkdirSync(inside.path, { mode: 0o700 })
  refused({ ...inside, signingKey: join(inside.path, 'key.pem') }, 'CONFIG_INVALID')
  for (const { path } of [readable, foreign, inside]) assert.throws(() => vkeyInLedger(path))
})
