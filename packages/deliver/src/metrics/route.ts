/**
 * The route of the metrics: a request in, a response out, no listener. Who may ask is the server's to say.
 * @module
 */
import type { Metrics } from './metrics.ts'

const HEADERS = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' }

/** Answers GET and HEAD with the page, everything else with 405. */
export function createMetricsRoute({ text }: Pick<Metrics, 'text'>): (request: Request) => Promise<Response> {
  return async ({ method }) => {
    if (method !== 'GET' && method !== 'HEAD') return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } })
    return new Response(await text(), { headers: HEADERS })
  }
}
