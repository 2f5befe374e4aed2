/**
 * Model calls that a program makes with `fetch` itself, or through a library that no adapter knows.
 *
 * Calls of the adapters nearer to the application are left to them. The answer is not read ahead: a stream is watched as
 * the application pulls it, anything else is read beside it. Source: spec capture §4.10.
 * @module
 */
import type { UnderlyingSource } from 'node:stream/web'
import { type Outcome, SwornError } from '@sworn/recorder'
import type { Adapter, Tools } from '../adapter.ts'
import { covered, isCovered } from '../covered.ts'
import { memberOf } from '../members.ts'
import { describeError } from '../models/stream.ts'
import type { Method } from '../patches.ts'
import { createEventReader } from './events.ts'
import { isEventStream, type ModelRequest, parse, readModelRequest } from './model-request.ts'

export const wireFetch: Adapter = {
  id: 'fetch',
  layer: 'wire',
  facts: {
    sees: 'requests with the shape of OpenAI chat completions and Responses, of Anthropic Messages and of Gemini, streamed or not, whoever makes them, unless another adapter saw them',
    stops: 'a model call whose request cannot be recorded',
    misses: 'a `fetch` that was taken before, bodies that are no text, `Request` objects, other shapes, everything that is not `fetch`',
  },
  canBlock: () => true,
  targets: [{ pkg: 'fetch', entries: [], tested: [22, 26], isGlobal: true }],
  patch: (_, tools) => (tools.patches.method(globalThis, 'fetch', (fetch) => recordingFetch(fetch, tools)) ? ['fetch'] : []),
}

function recordingFetch(fetch: Method, tools: Tools): Method {
  return function (...args) {
    const request = isCovered() ? undefined : readModelRequest(args)
    return request ? record(() => Reflect.apply(fetch, this, args) as Promise<Response>, request, tools) : Reflect.apply(fetch, this, args)
  }
}

async function record(send: () => Promise<Response>, request: ModelRequest, { guard, recorder }: Tools): Promise<Response> {
  const { model, body, dialect, provider } = request
  const action = { kind: 'model' as const, name: model, input: body, ids: guard.context(), ...(provider !== undefined && { provider }) }
  const { verdict, ref } = await guard.begin(action)
  if (verdict.decision !== 'allow') throw new SwornError('ACTION_DENIED', verdict.reasonCode, 'model')
  const startMs = performance.now()
  const end = (outcome: Outcome) => void guard.end(ref, { ...outcome, durationMs: performance.now() - startMs })
  try {
    const response = await recorder.withContext({ correlation_id: ref }, () => covered(send))
    if (!response.ok) end({ status: 'error', errorType: `http_${response.status}` })
    else if (response.body && isEventStream(response)) return watched(response, response.body, dialect.assemble(), end)
    else void readBeside(response, (text) => dialect.describe(parse(text)), end)
    return response
  } catch (error) {
    end(describeError(error))
    throw error
  }
}

async function readBeside(
  response: Response,
  describe: (text: string) => Partial<Outcome>,
  end: (outcome: Outcome) => void,
): Promise<void> {
  try {
    const text = await readText(response.clone())
    end(text === undefined ? { status: 'ok', complete: false } : { status: 'ok', ...describe(text) })
  } catch (error) {
    end({ ...describeError(error), complete: false })
  }
}

/** A longer answer is not read to its end. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20

async function readText({ body }: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

type Assembly = ReturnType<ModelRequest['dialect']['assemble']>

/** The same response, its body watched. */
function watched(response: Response, body: ReadableStream<Uint8Array>, assembly: Assembly, end: (outcome: Outcome) => void): Response {
  const reader = body.getReader()
  const events = createEventReader((event) => assembly.add(event))
  const finish = (failure: Partial<Outcome>) => {
    const { outcome, isComplete } = assembly.done()
    end({ status: 'ok', ...outcome, ...failure, ...(!isComplete && { complete: false }) })
  }
  const nothingAhead = { highWaterMark: 0 } // the application may leave where it is
  const source: UnderlyingSource<Uint8Array> = {
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (value) events.add(value)
        if (!done) return controller.enqueue(value)
        finish({})
        controller.close()
      } catch (error) {
        finish(describeError(error))
        controller.error(error)
      }
    },
    cancel(reason) {
      finish({})
      return reader.cancel(reason)
    },
  }
  const stream = new ReadableStream(source, nothingAhead)
  const { status, statusText, headers } = response
  const copy = new Response(stream, { status, statusText, headers })
  for (const name of ['url', 'redirected', 'type']) Object.defineProperty(copy, name, { value: memberOf(response, name) })
  return copy
}
