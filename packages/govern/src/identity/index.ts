/** Identity tokens: who an agent is, for how long, under which policy. @module */
export { nodeBinding } from './binding.ts'
export { type Revocation, rejectedEvent } from './events.ts'
export { createIdentity, type Identity, type IdentityOptions, type Revoked, type TokenRuling } from './identity.ts'
export { openKeyFile, openKeyStore } from './key-files.ts'
export { createPeriodicKeys, type Jwk, type KeyRing, type KeyStore, memoryKeyStore } from './keys.ts'
export type { Session } from './session.ts'
export { tokenId } from './token.ts'
export type * from './types.ts'
