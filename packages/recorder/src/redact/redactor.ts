/**
 * From a shaped event to the bytes that may be recorded.
 *
 * Promise: nothing unredacted leaves this function; it is total; its output is idempotent under itself. Most
 * events take the quick way: print once, look at the printed text for literals, done. All others are copied,
 * sanitised, walked and fitted. Source: docs/format.md (spec events §6, design law 6).
 * @module
 */
import { randomUUID } from 'node:crypto'
import { LINE_BYTES, RESULT_CHARS, SUFFIX_BYTES } from '../event/bounds.ts'
import { headOf } from '../event/cut.ts'
import { isPlainJson } from '../event/plain.ts'
import type { JsonValue } from '../event/sanitize.ts'
import type { ShapedEvent, TextResults } from '../event/shape.ts'
import { createDecodingScanner } from './encodings.ts'
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
    const isWhole = isDescribed(event, context.resultChars)
    if (!isWhole && isPartlyDescribed(event)) return undefined
    const parts = isWhole ? undefined : printParts(event)
    const json = parts ? `${parts.before}${parts.result}${parts.behind}` : JSON.stringify(event)
    if (isWhole && !fits(json, context.payloadBytes)) return undefined
    if (json.includes('\\ud') || json.includes('$sd"') || json.includes('$blob"')) return undefined
    if (context.scanners.some((scanner) => scanner.mayMatch(json))) return undefined
    const described = parts ? describeResult(parts, context) : json
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

/** The caller said something of the result: what is missing is added the careful way. */
function isPartlyDescribed({ result_hash: hash, result_bytes: bytes, result_truncated: cut }: ShapedEvent): boolean {
  return hash !== undefined || bytes !== undefined || cut !== undefined
}

/** A printed event in three pieces, so that its result is printed once, whatever is made of it. */
interface Parts {
  readonly before: string
  readonly result: string
  readonly behind: string
}

/** Stands for the result while the rest is printed; nobody outside knows it, so it occurs once. */
const PLACE = randomUUID()

function printParts(event: ShapedEvent): Parts {
  const rest = JSON.stringify({ ...event, result: PLACE })
  const at = rest.indexOf(`"${PLACE}"`)
  return { before: rest.slice(0, at), result: JSON.stringify(event.result), behind: rest.slice(at + PLACE.length + 2) }
}

/** The event with size and keyed hash of its whole result, of which `resultChars` characters stay. undefined when there is no key. */
function describeResult({ before, result, behind }: Parts, { hash, resultChars }: RedactContext): string | undefined {
  const value: JsonValue = JSON.parse(result) // the bytes that were scanned, not the values behind them
  const digest = hash(value)
  if (digest === undefined) return undefined
  const whole = typeof value === 'string' ? value : result
  const cut = whole.length > resultChars
  const shown = cut ? JSON.stringify(headOf(whole, resultChars)) : result
  const members = `,"result_hash":"${digest}","result_bytes":${Buffer.byteLength(whole)}${cut ? ',"result_truncated":true' : ''}`
  return `${before}${shown}${members}${behind}`
}

const fits = (json: string, bytes: number) => json.length * 3 <= bytes || Buffer.byteLength(json) <= bytes
