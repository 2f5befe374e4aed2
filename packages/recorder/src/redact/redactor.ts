/**
 * From a shaped event to the bytes that may be recorded.
 *
 * Promise: nothing unredacted leaves this function; it is total; its output is idempotent under itself. Most
 * events take the quick way: print once, look at the printed text for literals, done. All others are copied,
 * sanitised, walked and fitted. Source: docs/format.md (spec events §6, design law 6).
 * @module
 */
import { LINE_BYTES, RESULT_CHARS, SUFFIX_BYTES } from '../event/bounds.ts'
import { headOf } from '../event/cut.ts'
import { isPlainJson } from '../event/plain.ts'
import { type ShapedEvent, setMember, type TextResults } from '../event/shape.ts'
import { createDecodingScanner } from './encodings.ts'
import type { JsonEvent } from './fit.ts'
import { createKeyedHash } from './keyed-hash.ts'
import { createScanner } from './scanner.ts'
import { type RedactContext, redactEvent } from './slow-way.ts'
import type { PathAction, Redacted, Scanner, ScannerSource, Vault } from './types.ts'
import { createKeyRules, DEFAULT_KEYS } from './words.ts'

export interface RedactOptions {
  /** Names whose values are masked, added to the default list. */
  readonly keys?: readonly string[]
  /** Patterns of the table; the usual ones (secrets, cards, social security numbers) when absent. */
  readonly patterns?: readonly string[]
  /** The scanner for keys and values, instead of the built-in one; `patterns` then has no meaning. */
  readonly scanner?: ScannerSource
  /** Besides the table; `createUserScanner` of `@sworn/recorder/patterns` makes one of RE2 patterns. */
  readonly scanners?: readonly Scanner[]
  /** Dotted, `*` for any member: `arguments.customer.*.iban`. */
  readonly paths?: readonly {
    readonly path: string
    readonly action: PathAction
    /** Of `commit`: the dotted member that names whose data it is; default `user`. */
    readonly subject?: string | undefined
  }[]
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
  /** For the shaper of the events that come here. */
  readonly textResults: TextResults
  /** @param rows what goes to the vault is added here; without it `commit` rules mask */
  redact(event: ShapedEvent, rows?: string[]): Redacted
}

/** @throws SwornError CONFIG_INVALID for unknown or malformed patterns */
export function createRedactor(options: RedactOptions = {}, macKey?: Uint8Array, vault?: Vault): Redactor {
  const context = { ...contextOf(options, macKey), ...(vault && { vault }) }
  const alwaysWalk = context.paths.length > 0
  return {
    textResults: context,
    redact(event, rows) {
      const quick = alwaysWalk ? undefined : printQuickly(event, context)
      return (quick ?? redactEvent(event, context, rows)) as Redacted // the brand: this is the one place that makes it
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
    paths: (options.paths ?? []).map(({ path, action, subject }) => ({ segments: path.split('.'), action, ...(subject && { subject }) })),
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
    const isWhole = isDescribed(event, context.resultChars)
    if (isWhole && !fits(json, context.payloadBytes)) return undefined
    if (json.includes('\\ud') || json.includes('$sd"') || json.includes('$blob"')) return undefined
    if (context.scanners.some((scanner) => scanner.mayMatch(json))) return undefined
    if (isWhole) return json
    const described = describeResult(json, context)
    return described !== undefined && fits(described, context.payloadBytes) ? described : undefined
  } catch {
    return undefined // a getter or Proxy threw: the careful way knows what to do
  }
}

/** No result, or a short one with its size and hash. */
function isDescribed({ result, result_hash: hash, result_bytes: bytes, result_truncated: cut }: ShapedEvent, resultChars: number): boolean {
  if (result === undefined) return true
  if (hash === undefined || bytes === undefined) return false
  return cut === true || (typeof result === 'string' ? result : JSON.stringify(result)).length <= resultChars
}

/** A printed event with size and keyed hash of its whole result, of which `resultChars` characters stay. undefined when there is no key. */
function describeResult(json: string, context: RedactContext): string | undefined {
  const event: JsonEvent = JSON.parse(json) // the bytes that were scanned, not the values behind them
  const result = event.result ?? null
  const whole = typeof result === 'string' ? result : JSON.stringify(result)
  const hash = event.result_hash ?? context.hash(result)
  if (hash === undefined) return undefined
  const cut = event.result_truncated !== true && whole.length > context.resultChars
  const described: JsonEvent = {}
  for (const name of Object.keys(event)) {
    if (name === 'result') {
      described.result = cut ? headOf(whole, context.resultChars) : result
      described.result_hash = hash
      described.result_bytes = event.result_bytes ?? Buffer.byteLength(whole)
      if (cut) described.result_truncated = true
    } else if (!Object.hasOwn(described, name)) setMember(described, name, event[name]!)
  }
  return JSON.stringify(described)
}

const fits = (json: string, bytes: number) => json.length * 3 <= bytes || Buffer.byteLength(json) <= bytes
