/**
 * A whole body, within bounds.
 * @module
 */
import type { Readable } from 'node:stream'

/** Bytes that many bodies hold together. */
export interface Budget {
  take(bytes: number): boolean
  give(bytes: number): void
}

export function createBudget(total: number): Budget {
  let left = total
  return {
    take(bytes) {
      if (bytes > left) return false
      left -= bytes
      return true
    },
    give(bytes) {
      left += bytes
    },
  }
}

export type Body = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly why: 'too_large' | 'no_room' | 'broken' }

/**
 * Reads to the end, or gives up at `maxBytes`. What was taken from the budget is given back when the body is whole:
 * from then on the number of exchanges bounds it.
 */
export function readBody(stream: Readable, maxBytes: number, budget?: Budget): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    let over = false
    const done = (body: Body) => {
      if (over) return
      over = true
      stream.off('data', take)
      budget?.give(bytes)
      resolve(body)
    }
    const take = (chunk: Buffer) => {
      if (bytes + chunk.length > maxBytes) return done({ ok: false, why: 'too_large' })
      if (budget?.take(chunk.length) === false) return done({ ok: false, why: 'no_room' })
      bytes += chunk.length
      chunks.push(chunk)
    }
    stream.on('data', take)
    stream.once('end', () => done({ ok: true, bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }))
    stream.once('error', () => done({ ok: false, why: 'broken' }))
    stream.once('close', () => done({ ok: false, why: 'broken' }))
  })
}
