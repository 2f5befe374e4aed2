/** Who asks: a bearer token of the Authorization header, compared in constant time. Hostile input. @module */
import { hash, timingSafeEqual } from 'node:crypto'

/** Somebody who may ask; `name` is what the record says. */
export interface Bearer {
  /** At least 16 visible ASCII characters. */
  readonly token: string
  readonly name: string
}

const MIN_TOKEN = 16

/** The credentials of the Bearer scheme; undefined for another scheme, or none. */
export function bearerOf(request: Request): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(request.headers.get('authorization') ?? '')?.[1]
}

/**
 * @returns whose token it is
 * @throws TypeError for a token that is too short to be a secret; it is not repeated
 */
export function createBearerCheck(bearers: readonly Bearer[]): (token: string | undefined) => string | undefined {
  if (bearers.some(({ token }) => token.length < MIN_TOKEN)) throw new TypeError(`tokens of at least ${MIN_TOKEN} characters were expected`)
  const known = bearers.map(({ token, name }) => ({ digest: hash('sha256', token, 'buffer'), name }))
  return (token) => {
    if (token === undefined) return undefined
    const digest = hash('sha256', token, 'buffer')
    return known.filter((one) => timingSafeEqual(one.digest, digest))[0]?.name
  }
}
