/**
 * Access tokens of an issuer that the operator trusts, as flags name it: its public keys, its name, and ours.
 * @module
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ClaimsCheck } from '@sworn/govern/identity'
import { SwornError } from '@sworn/verify'

export interface JwtFlags {
  readonly 'jwt-keys'?: string | undefined
  readonly 'jwt-issuer'?: string | undefined
  readonly 'jwt-audience'?: string | undefined
}

/** @throws SwornError IO_FAILED at `flag` */
export function readNamedFile(cwd: string, file: string, flag: string): string {
  try {
    return readFileSync(resolve(cwd, file), 'utf8')
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'the file cannot be read', flag, { cause })
  }
}

/**
 * What checks JWTs is loaded when there is an issuer.
 * @throws SwornError USAGE, IO_FAILED, KEY_INVALID
 */
export async function readIssuer(flags: JwtFlags, cwd: string): Promise<ClaimsCheck | undefined> {
  const [keys, issuer, audience] = [flags['jwt-keys'], flags['jwt-issuer'], flags['jwt-audience']]
  if (keys === undefined && issuer === undefined && audience === undefined) return undefined
  if (keys === undefined || issuer === undefined || audience === undefined)
    throw new SwornError('USAGE', '--jwt-keys, --jwt-issuer and --jwt-audience belong together')
  const { createClaimsCheck } = await import('@sworn/govern/identity')
  return createClaimsCheck({ keys: readNamedFile(cwd, keys, '--jwt-keys'), issuer, audience }, '--jwt-keys')
}
