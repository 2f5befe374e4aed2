/**
 * Event ids: UUIDv7 of the recorder's clock, random part from the system generator.
 * Source: RFC 9562 §5.7.
 * @module
 */
import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 4000
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** A function from Unix milliseconds to a fresh UUIDv7; draws randomness in blocks. */
export function createIds(fill: (bytes: Uint8Array) => void = (bytes) => void randomFillSync(bytes)): (nowMs: number) => string {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  let prefixMs = -1
  let prefix = ''
  return (nowMs) => {
    if (used + 10 > POOL_BYTES) {
      fill(pool)
      used = 0
    }
    if (nowMs !== prefixMs) {
      const hex = Math.max(0, Math.floor(nowMs)).toString(16).padStart(12, '0').slice(-12)
      prefix = `${hex.slice(0, 8)}-${hex.slice(8)}-7`
      prefixMs = nowMs
    }
    const at = used
    used += 10
    const h = (i: number) => HEX[pool[at + i]!]!
    const variant = HEX[(pool[at + 2]! & 0x3f) | 0x80]!
    return `${prefix}${h(0)[0]}${h(1)}-${variant}${h(3)}-${h(4)}${h(5)}${h(6)}${h(7)}${h(8)}${h(9)}`
  }
}

/** Unix milliseconds -> RFC 3339 UTC; formats once per millisecond. */
export function createStamps(): (nowMs: number) => string {
  let lastMs = Number.NaN
  let last = ''
  return (nowMs) => {
    if (nowMs === lastMs) return last
    lastMs = nowMs
    last = new Date(nowMs).toISOString()
    return last
  }
}
