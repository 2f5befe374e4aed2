/** `sworn policy sign`: puts a signature into a policy file. The private key stays in its file. @module */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readdirSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadPolicy, signPolicyText } from '@sworn/govern/policy'
import { readTextFile } from '@sworn/recorder'
import { ED25519, formatVkey, parseVkey, SwornError } from '@sworn/verify'
import type { ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { ledgerPath, stateDirectory } from '../reading/location.ts'
import { findKnown, readKnownLedgers, toPublicKey } from '../reading/trusted-ledgers.ts'
import { missing, type PolicyOptions, print, readSource } from './read.ts'

interface SigningKey {
  readonly privateKey: KeyObject
  /** What `--policy-key` of those who trust it says. */
  readonly vkey: string
}

/** Signs with `--signing-key`, else with the ledger's key that `sworn keys show` names. @throws SwornError POLICY_INVALID, KEY_INVALID, LEDGER_NOT_FOUND */
export async function signPolicyFile([file, ledger]: readonly string[], options: PolicyOptions, io: Io): Promise<ExitCode> {
  const source = readSource(file ?? missing('sign FILE [LEDGER] was expected'), io)
  const { privateKey, vkey } = options.signingKey === undefined ? await ledgerKey(ledger, io) : ownKey(resolve(io.cwd, options.signingKey))
  const text = signPolicyText(source, privateKey)
  const signers = [createPublicKey(privateKey)]
  loadPolicy({ ...source, text }, { profile: options.profile, actsOn: ['identity', 'server'], signers, requireSignature: true })
  replaceText(source.name, text)
  await print(
    options.json ? { ok: true, file: source.name, policy_key: vkey } : [`signed ${source.name}`, `to trust it: --policy-key ${vkey}`],
    io,
  )
  return 0
}

function ownKey(path: string): SigningKey {
  const text = readTextFile(path)
  if (text === undefined) throw new SwornError('IO_FAILED', 'the file does not exist', path)
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new SwornError('KEY_INVALID', 'a file of mode 0600 was expected', path)
  const privateKey = readPrivate(text, path)
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { privateKey, vkey: formatVkey('policy', ED25519, Buffer.from(x, 'base64url')) }
}

/** The newest key of a ledger of this user: of its key files the one that fits. */
async function ledgerKey(ledger: string | undefined, io: Io): Promise<SigningKey> {
  const state = stateDirectory(io)
  const path = resolve(io.cwd, await ledgerPath(io, ledger))
  const row = findKnown(readKnownLedgers(state), path, {})
  if (!row)
    throw new SwornError('LEDGER_NOT_FOUND', 'no ledger of this user is known at this path; its key, or --signing-key, was expected', path)
  const folder = join(state, 'keys', row.logId)
  const wanted = toPublicKey(parseVkey(row.vkey))
  for (const name of readdirSync(folder).filter((one) => /^\d+\.pem$/.test(one))) {
    const file = join(folder, name)
    const privateKey = readPrivate(readTextFile(file) ?? '', file)
    if (createPublicKey(privateKey).equals(wanted)) return { privateKey, vkey: row.vkey }
  }
  throw new SwornError('LEDGER_STATE_MISSING', 'the private key of the ledger is absent', folder)
}

function readPrivate(text: string, at: string): KeyObject {
  try {
    const key = createPrivateKey(text)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // said below: node's message could quote the file
  }
  throw new SwornError('KEY_INVALID', 'an Ed25519 private key in PEM was expected', at)
}

/** Whole or not at all, with the mode that the file had. @throws SwornError IO_FAILED */
function replaceText(name: string, text: string): void {
  try {
    const path = realpathSync(name)
    const next = `${path}.${process.pid}.tmp`
    writeFileSync(next, text, { mode: statSync(path).mode & 0o777, flag: 'wx' })
    renameSync(next, path)
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'the policy cannot be written', name, { cause })
  }
}
