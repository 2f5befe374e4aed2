/**
 * Requests to a model, told by their shape: the end of the path, and a JSON body or for Gemini a path that names a model.
 * Hosts say nothing, because gateways have their own.
 * @module
 */
import { memberOf, textAt } from '../members.ts'
import { messages } from '../models/anthropic-messages.ts'
import { gemini } from '../models/gemini.ts'
import { chat } from '../models/openai-chat.ts'
import { responses } from '../models/openai-responses.ts'
import type { Dialect } from '../models/stream.ts'

export interface ModelRequest {
  readonly model: string
  readonly body: unknown
  readonly dialect: Dialect
  /** Known by its own address only. */
  readonly provider?: string
}

const SHAPES: readonly [path: RegExp, dialect: Dialect][] = [
  [/\/chat\/completions$/, chat],
  [/\/responses$/, responses],
  [/\/v1\/messages$/, messages],
  [/\/(?<model>[^/:]+):(?:generateContent|streamGenerateContent)$/, gemini],
]
const PROVIDERS: Readonly<Record<string, string>> = {
  'api.openai.com': 'openai',
  'api.anthropic.com': 'anthropic',
  'generativelanguage.googleapis.com': 'gcp.gemini',
}
const MAX_BODY_CHARS = 16 * 2 ** 20

/** The arguments of `fetch`. Undefined for everything that is no such request. Never throws. */
export function readModelRequest([input, init]: readonly unknown[]): ModelRequest | undefined {
  const text = textAt(init, 'body')
  if (text === undefined || text.length > MAX_BODY_CHARS || textAt(init, 'method')?.toUpperCase() !== 'POST') return undefined
  const url = toUrl(input)
  const [path, dialect] = (url && SHAPES.find(([shape]) => shape.test(url.pathname))) ?? []
  const body = dialect && parse(text)
  const named = url && path?.exec(url.pathname)?.groups?.model
  const model = typeof body === 'object' ? (textAt(body, 'model') ?? named) : undefined
  if (!url || !dialect || model === undefined) return undefined
  const provider = Object.hasOwn(PROVIDERS, url.hostname) ? PROVIDERS[url.hostname] : undefined
  return { model, body, dialect, ...(provider !== undefined && { provider }) }
}

function toUrl(input: unknown): URL | undefined {
  const text = typeof input === 'string' ? input : (textAt(input, 'href') ?? textAt(input, 'url'))
  return text === undefined ? undefined : (URL.parse(text) ?? undefined)
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isEventStream(response: unknown): boolean {
  const headers = memberOf(response, 'headers')
  return headers instanceof Headers && (headers.get('content-type') ?? '').includes('text/event-stream')
}
