/**
 * Signing keys in periods: a key is published before its period, signs during it, and counts until the last
 * token that it signed has expired.
 *
 * A period's name is made from its algorithm and bounds, so that processes which share a store agree on one key
 * per period without talking. Source: AIP v1alpha2 §5.8.4.
 * @module
 */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK } from 'jose'
import type { SigningKey, VerifyingKey } from './token.ts'
import type { Algorithm, IdentityRules } from './types.ts'

/** A public key as RFC 7517 writes it. */
export type Jwk = Readonly<Record<string, unknown>>

export interface KeyRing {
  /** The key of now. @throws SwornError KEY_INVALID, IO_FAILED */
  signing(): SigningKey
  /** undefined: no such key, or no token of it can be alive. */
  verifying(kid: string): VerifyingKey | undefined
  /** What others verify with: also the next period's key, from an hour before. */
  published(): Promise<readonly Jwk[]>
}

/** Keeps private keys by name. `create` gives what is there when another process was first. */
export interface KeyStore {
  create(kid: string, make: () => KeyObject): KeyObject
  read(kid: string): KeyObject | undefined
  list(): readonly string[]
  remove(kid: string): void
}

const LEAD_MS = 3_600_000
const NAME = /^([A-Za-z0-9]+)-(\d{1,15})-(\d{1,15})$/

interface Period {
  readonly algorithm: string
  readonly startMs: number
  readonly endMs: number
}

/**
 * @param rules of the policy that is loaded; for another `keys` or `token_ttl` make another ring
 * @param now milliseconds since 1970
 */
export function createPeriodicKeys(
  rules: Pick<IdentityRules, 'keys' | 'tokenTtlMs' | 'clockSkewMs'>,
  store: KeyStore,
  now: () => number,
): KeyRing {
  const { algorithm, periodMs, graceMs } = rules.keys
  const lead = Math.min(LEAD_MS, periodMs / 2)
  const retain = rules.tokenTtlMs + rules.clockSkewMs + graceMs

  const nameAt = (atMs: number): string => {
    const start = Math.floor(atMs / periodMs) * periodMs
    return `${algorithm}-${start}-${start + periodMs}`
  }
  const open = (kid: string): KeyObject => store.create(kid, () => generateKey(algorithm))
  const counts = (kid: string): boolean => {
    const period = parseName(kid)
    return period !== undefined && now() >= period.startMs - lead - rules.clockSkewMs && now() < period.endMs + retain
  }

  return {
    signing() {
      const kid = nameAt(now())
      return { kid, algorithm, privateKey: open(kid) }
    },
    verifying(kid) {
      const privateKey = counts(kid) ? store.read(kid) : undefined
      const period = privateKey && parseName(kid)
      return period && { kid, algorithm: period.algorithm as Algorithm, publicKey: createPublicKey(privateKey) } // compared with the header's
    },
    async published() {
      tidy(store, now() - retain)
      open(nameAt(now()))
      open(nameAt(now() + lead))
      return Promise.all(
        store
          .list()
          .filter(counts)
          .toSorted()
          .map((kid) => toJwk(kid, store.read(kid))),
      )
    },
  }
}

/** A week of disuse leaves keys behind; whoever comes by clears them. */
function tidy(store: KeyStore, beforeMs: number): void {
  for (const kid of store.list()) {
    const period = parseName(kid)
    if (period && period.endMs <= beforeMs) store.remove(kid)
  }
}

function parseName(kid: string): Period | undefined {
  const [, algorithm, start, end] = NAME.exec(kid) ?? []
  return algorithm === undefined ? undefined : { algorithm, startMs: Number(start), endMs: Number(end) }
}

async function toJwk(kid: string, key: KeyObject | undefined): Promise<Jwk> {
  const algorithm = parseName(kid)?.algorithm
  return key ? publicJwk(kid, String(algorithm), createPublicKey(key)) : { kid }
}

export async function publicJwk(kid: string, algorithm: string, publicKey: KeyObject): Promise<Jwk> {
  return { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: algorithm }
}

function generateKey(algorithm: Algorithm): KeyObject {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519').privateKey
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey
  return generateKeyPairSync('ec', { namedCurve: algorithm === 'ES384' ? 'P-384' : 'P-256' }).privateKey
}

/** Keys of this process alone: its tokens end with it. */
export function memoryKeyStore(): KeyStore {
  const keys = new Map<string, KeyObject>()
  return {
    create(kid, make) {
      const key = keys.get(kid) ?? make()
      keys.set(kid, key)
      return key
    },
    read: (kid) => keys.get(kid),
    list: () => [...keys.keys()],
    remove: (kid) => void keys.delete(kid),
  }
}
