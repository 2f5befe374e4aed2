/**
 * What a collector holds of this ledger: roots of ranges, and lines where one differs.
 * @module
 */
import { findLedger } from '@sworn/recorder/segments'
import { isJsonObject, parseBase64, parseLine, SwornError } from '@sworn/verify'
import type { Held, Holdings, OpenHoldings, Range } from '../holdings.ts'
import { createSender, type HttpOptions } from '../http.ts'
import { type Answer, jsonOf } from '../http-answer.ts'
import { reasonOf } from '../ship.ts'
import { endpoint } from './bulk.ts'
import { codeOf } from './collector.ts'
import { readLogId } from './log-id.ts'

export interface CollectorHoldingsOptions extends HttpOptions {
  readonly token: string
  /** Of the ledger, absolute. */
  readonly ledgerPath: string
}

const MAX_ANSWER = 32 << 20
const LAST = 2 ** 49

export function collectorHoldings({ url, token, ledgerPath, ...http }: CollectorHoldingsOptions): OpenHoldings {
  return async (): Promise<Holdings> => {
    const mirror = endpoint(url, `/v1/mirrors/${await readLogId(findLedger(ledgerPath, '/'))}`)

    async function ask(part: string, { from, to }: Range, signal: AbortSignal): Promise<Answer | undefined> {
      const sender = createSender({
        ...http,
        url: `${mirror}/${part}?from=${from}&to=${Math.min(to, LAST)}`,
        method: 'GET',
        maxAnswer: MAX_ANSWER,
      })
      try {
        const answer = await sender.post('', { authorization: `Bearer ${token}` }, signal)
        if (answer.status === 404 && codeOf(answer) === 'MIRROR_GAP') return undefined // nothing came there yet
        if (answer.status === 200) return answer
        throw unreadable(`HTTP ${answer.status}`)
      } catch (e) {
        throw SwornError.is(e) ? e : unreadable(reasonOf(e), e)
      } finally {
        sender.close()
      }
    }

    return {
      compares: 'bytes',
      findsExtra: true,
      async *read({ from, to }, signal): AsyncGenerator<Held> {
        for (let at = from; at < to; ) {
          const lines = (await ask('lines', { from: at, to }, signal))?.text.split('\n').slice(0, -1) ?? []
          if (lines.length === 0) return
          for (const body of lines) {
            const seq = seqOf(body) ?? at
            yield { seq, body }
            at = Math.max(at, seq + 1)
          }
        }
      },
      async root(range, signal) {
        const body = jsonOf((await ask('root', range, signal)) ?? { status: 404, retryAfter: undefined, text: '' })
        return isJsonObject(body) && typeof body.root === 'string' ? parseBase64(body.root) : undefined
      },
      close: async () => {},
    }
  }
}

function seqOf(body: string): number | undefined {
  try {
    return parseLine(Buffer.from(body)).seq
  } catch {
    return undefined
  }
}

function unreadable(what: string, cause?: unknown): SwornError {
  return new SwornError('SINK_UNREADABLE', `the mirror cannot be read (${what})`, 'collector', { cause })
}
