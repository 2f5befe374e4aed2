/**
 * Who may sign policies: the keys of `--policy-key` and `audit.policy_keys`, read once.
 *
 * Where there is one, a policy has to be signed. A ledger's key may sign policies too: what it signs otherwise is a
 * note, and no note is JSON.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { hashConfig, readTextFile } from '@sworn/recorder'
import { ED25519, SwornError } from '@sworn/verify'
import { parseKey, toPublicKey } from '../reading/trusted-ledgers.ts'

const AT = 'audit.policy_keys'

export interface PolicyKeys {
  /** Differs when other keys would come out. */
  readonly print: string
  /** The files among the keys. */
  readonly files: readonly string[]
  /** @throws SwornError KEY_INVALID */
  open(): readonly KeyObject[]
}

/** @param names verifier keys and absolute paths */
export function planPolicyKeys(names: readonly string[]): PolicyKeys {
  const files = names.filter((name) => isAbsolute(name))
  const texts = new Map(files.map((file) => [file, readTextFile(file)]))
  return {
    print: JSON.stringify(names.map((name) => [name, hashConfig(texts.get(name) ?? '')])),
    files,
    open: () => names.map((name) => openKey(texts.has(name) ? texts.get(name) : name)),
  }
}

function openKey(text: string | undefined): KeyObject {
  if (text === undefined) throw new SwornError('KEY_INVALID', 'a named file of a key does not exist', AT)
  const key = parseKey(text, 'policy', AT)
  if (key.type !== ED25519) throw new SwornError('KEY_INVALID', 'an Ed25519 key that signs notes was expected', AT)
  return toPublicKey(key)
}
