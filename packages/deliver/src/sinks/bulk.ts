/**
 * Many entries a request over HTTP: what the sinks of log vendors share.
 * @module
 */
import { asText, isJsonObject } from '@sworn/verify'
import { createSender, type HttpOptions, type HttpSender, parseUrl } from '../http.ts'
import { type Answer, jsonOf, judgeStatus, saysFailure, wrongAnswer } from '../http-answer.ts'
import { reasonOf } from '../ship.ts'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed, type Sink } from '../sink.ts'

export interface BulkOptions extends HttpOptions {
  readonly limits: Sink['limits']
  readonly headers: Readonly<Record<string, string>>
  readonly encode: (items: readonly Item[]) => string
  /** What a 2xx says; default: all accepted, unless its body says that something failed. */
  readonly judge?: (items: readonly Item[], answer: Answer, around: Around) => Promise<Outcome> | Outcome
  readonly probe: BulkProbe
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** A request that is no entry, and what it shows when it is taken. */
export interface BulkProbe {
  readonly body: () => string
  readonly shown: string
  /** Default: a 2xx that does not say the opposite. */
  readonly judge?: (answer: Answer, around: Around) => Promise<Probed> | Probed
}

export interface Around {
  readonly sender: HttpSender
  readonly signal: AbortSignal
}

/** @throws SwornError CONFIG_INVALID for a URL that is none */
export function bulkSink(options: BulkOptions): OpenSink {
  const { limits, headers, encode, judge = believe, probe, now } = options
  parseUrl(options.url)
  return async () => {
    const sender = createSender(options)
    return {
      limits,
      async send(items, signal) {
        try {
          const answer = await sender.post(encode(items), headers, signal)
          return judgeStatus(items, answer, now()) ?? (await judge(items, answer, { sender, signal }))
        } catch (e) {
          return allAgain(items, reasonOf(e))
        }
      },
      async probe(signal): Promise<Probed> {
        const answer = await sender.post(probe.body(), headers, signal)
        if (probe.judge) return await probe.judge(answer, { sender, signal })
        const isTaken = answer.status >= 200 && answer.status < 300 && !saysFailure(answer)
        return isTaken ? { shown: probe.shown } : wrongAnswer(answer)
      },
      close: async () => sender.close(),
    }
  }
}

/** A yes whose body says no is a no. */
export function believe(items: readonly Item[], answer: Answer): Outcome {
  return saysFailure(answer) ? allAgain(items, `HTTP ${answer.status} with an error in its body`) : {}
}

/**
 * As `believe`, of an OpenTelemetry collector: what it rejected is not sent again, and a count that is no number rejects too.
 * @param name of the count in `partialSuccess`. Source: OTLP 1.5, partial success
 */
export function believeCollector(items: readonly Item[], answer: Answer, name: 'rejectedLogRecords' | 'rejectedSpans'): Outcome {
  const body = jsonOf(answer)
  const partial = isJsonObject(body) ? body.partialSuccess : undefined
  const rejected = isJsonObject(partial) ? Number(asText(partial[name] ?? 0)) : 0
  return rejected <= 0 ? believe(items, answer) : { whole: 'rejected by the collector' }
}

/** `base` with a path of the vendor's behind it. */
export function endpoint(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}${path}`
}
