/**
 * From a shaped event to the bytes that may be recorded.
 *
 * Promise: nothing unredacted leaves this function; it is total; its output is idempotent under itself. Most
 * events take the quick way: print once, look at the printed text for literals, done. All others are copied,
 * sanitised, walked and fitted. Source: docs/format.md (spec events §6, design law 6).
 * @module
 */
import { LINE_BYTES, RESULT_CHARS, SUFFIX_BYTES } from '../event/bounds.ts'
import { isPlainJson } from '../event/plain.ts'
import { type ShapedEvent, setMember } from '../event/shape.ts'
import { createDecodingScanner } from './encodings.ts'
import type { JsonEvent } from './fit.ts'
import { createKeyedHash } from './keyed-hash.ts'
import { createScanner } from './scanner.ts'
import { type RedactContext, redactEvent } from './slow-way.ts'
import type { Redacted, Scanner, ScannerSource } from './types.ts'
import type { PathAction } from './walk.ts'
import { createKeyRules, DEFAULT_KEYS } from './words.ts'

export interface RedactOptions {
  /** Names whose values are masked, added to the default list. */
  readonly keys?: readonly string[]
  /** Patterns of the table; the usual ones (secrets, cards, social security numbers) when absent. */
  readonly patterns?: readonly string[]
  /** Besides the table; `createUserScanner` of `@sworn/recorder/patterns` makes one of RE2 patterns. */
  /** The scanner for keys and values, instead of the built-in one; `patterns` then has no meaning. */
  readonly scanner?: ScannerSource
  readonly scanners?: readonly Scanner[]
  /** Dotted, `*` for any member: `arguments.customer.*.iban`. */
  readonly paths?: readonly { readonly path: string; readonly action: PathAction }[]
  /** Also inside base64 and URL encoding; every event is then walked. */
  readonly detectEncoding?: boolean
  readonly resultChars?: number
  /** 16,384 to 1,048,576. */
  readonly lineBytes?: number
  /** Milliseconds after which the text that is left is masked unread. */
  readonly maxMs?: number
  /** Milliseconds, monotonic. */
  readonly clock?: () => number
}

export interface Redactor {
  redact(event: ShapedEvent): Redacted
}

/** @throws SwornError CONFIG_INVALID for unknown or malformed patterns */
export function createRedactor(options: RedactOptions = {}, macKey?: Uint8Array): Redactor {
  const context = contextOf(options, macKey)
  const alwaysWalk = context.paths.length > 0
  return {
    redact(event) {
      const quick = alwaysWalk ? undefined : printQuickly(event, context)
      return (quick ?? redactEvent(event, context)) as Redacted // the brand: this is the one place that makes it
    },
  }
}

function contextOf(options: RedactOptions, macKey: Uint8Array | undefined): RedactContext {
  const keys = [...DEFAULT_KEYS, ...(options.keys ?? [])]
  const first = options.scanner?.create(keys) ?? createScanner(keys, options.patterns && { patterns: options.patterns })
  const base = [first, ...(options.scanners ?? [])]
  return {
    rules: createKeyRules(keys),
    scanners: options.detectEncoding ? [...base, createDecodingScanner(base)] : base,
    paths: (options.paths ?? []).map(({ path, action }) => ({ segments: path.split('.'), action })),
    hash: macKey ? createKeyedHash(macKey) : () => undefined,
    resultChars: options.resultChars ?? RESULT_CHARS,
    payloadBytes: (options.lineBytes ?? LINE_BYTES) - SUFFIX_BYTES,
    maxMs: options.maxMs ?? 250,
    clock: options.clock ?? (() => performance.now()),
  }
}

/** The printed event when it is plain JSON, short enough and free of every literal; else undefined. */
function printQuickly(event: ShapedEvent, context: RedactContext): string | undefined {
  try {
    if (!isPlainJson(event)) return undefined
    const json = JSON.stringify(event)
    if (json.length * 3 > context.payloadBytes && Buffer.byteLength(json) > context.payloadBytes) return undefined
    if (json.includes('\\ud') || json.includes('$sd"') || json.includes('$blob"')) return undefined
    if (context.scanners.some((scanner) => scanner.mayMatch(json))) return undefined
    return event.result === undefined || event.result_hash !== undefined ? json : describeResult(json, context)
  } catch {
    return undefined // a getter or Proxy threw: the careful way knows what to do
  }
}

/** A printed event with size and keyed hash of its result. undefined when the result must be cut or there is no key. */
function describeResult(json: string, context: RedactContext): string | undefined {
  const event: JsonEvent = JSON.parse(json) // the bytes that were scanned, not the values behind them
  const result = event.result ?? null
  const whole = typeof result === 'string' ? result : JSON.stringify(result)
  const hash = whole.length <= context.resultChars ? context.hash(result) : undefined
  if (hash === undefined) return undefined
  const described: JsonEvent = {}
  for (const name of Object.keys(event)) {
    setMember(described, name, event[name]!)
    if (name === 'result') described.result_hash = hash
    if (name === 'result' && event.result_bytes === undefined) described.result_bytes = Buffer.byteLength(whole)
  }
  const text = JSON.stringify(described)
  return Buffer.byteLength(text) <= context.payloadBytes ? text : undefined
}
