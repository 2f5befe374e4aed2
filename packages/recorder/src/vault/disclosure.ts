/**
 * Salted commitments: what stands in a line for a value that may have to be erased.
 *
 *   disclosure = base64url( UTF-8( JSON [salt, value] ) )      salt: 16 random bytes, base64url, fresh for each value
 *   digest     = base64url( SHA-256( ASCII disclosure ) )      in the line: {"$sd":"<digest>"}
 *
 * Promise: without the disclosure the digest tells nothing about the value; with it anybody can check it.
 * Source: docs/format.md, "Committed values"; the array-element form of SD-JWT, RFC 9901 §4.2.4.2.
 * @module
 */
import { hash } from 'node:crypto'
import type { JsonValue } from '../event/sanitize.ts'

/** @param salt at least 16 random bytes */
export function createDisclosure(value: JsonValue, salt: Uint8Array): string {
  return Buffer.from(JSON.stringify([Buffer.from(salt).toString('base64url'), value])).toString('base64url')
}

/** 43 characters of base64url. */
export function digestOf(disclosure: string): string {
  return hash('sha256', disclosure, 'base64url')
}

/** The value of a disclosure; undefined when it is none. */
export function readDisclosure(disclosure: string): { readonly value: JsonValue } | undefined {
  try {
    const parts: JsonValue = JSON.parse(Buffer.from(disclosure, 'base64url').toString('utf8'))
    if (!Array.isArray(parts) || parts.length !== 2 || typeof parts[0] !== 'string') return undefined
    return { value: parts[1] ?? null }
  } catch {
    return undefined
  }
}
