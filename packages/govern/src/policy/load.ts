/**
 * Reads a policy: YAML text to a compiled `Policy`, or an error that says where and why.
 *
 * Nothing is ignored in silence: what this version cannot obey is refused. Whoever cannot load a named
 * policy blocks everything (`blockingGate`). Source: spec policy §6.1, §6.2.
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { didYouMean, SwornError } from '@sworn/recorder'
import type { z } from 'zod'
import { isSignedPolicy, unsignedPolicy } from '../identity/signature.ts'
import type { Profile } from '../profiles.ts'
import { hashPolicy } from './canonical.ts'
import { compilePolicy } from './compile.ts'
import { ABSENT, KEYS, type PolicyDocument, policySchema } from './schema.ts'
import type { Policy } from './types.ts'
import { parseYaml, type Source } from './yaml.ts'

type Issue = z.core.$ZodIssue
type Json = Record<string, unknown>

export interface LoadPolicyOptions {
  /** `strict` unless told otherwise. */
  readonly profile?: Profile
  /** Sections that the caller acts on; a policy with another of them is refused. */
  readonly actsOn?: readonly ActedOn[]
  /** Whoever may sign policies (`parsePolicyKey`). A signature that none of them made is refused, always. */
  readonly signers?: readonly KeyObject[]
  /** Refuses a policy without a signature. */
  readonly requireSignature?: boolean
}

export type ActedOn = 'identity' | 'server'

/**
 * @param source `text` as read, at most 1 MiB characters; `name` the file name for messages
 * @throws SwornError POLICY_INVALID at `name:line:column path`; see `isSignatureFault`
 */
export function loadPolicy(source: { text: string; name: string }, options: LoadPolicyOptions = {}): Policy {
  const profile = options.profile ?? 'strict'
  const parsed = parseYaml(source.text, source.name)
  if (!isObject(parsed.value)) throw new SwornError('POLICY_INVALID', 'an AgentPolicy was expected', `${source.name}:1:1`)
  checkSignature(parsed.value, parsed, options)
  checkActedOn(parsed.value, parsed, options.actsOn ?? [])
  const warnings: string[] = []
  const document = profile === 'strict' ? checkShape(parsed.value, parsed) : readLeniently(parsed.value, parsed, warnings)
  return {
    ...compilePolicy(document, parsed, profile),
    profile,
    file: source.name,
    hash: hashPolicy(unsignedPolicy(parsed.value)),
    warnings,
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Before anything of the policy counts. Source: AIP v1alpha2 §3.3.1. */
function checkSignature(value: Json, source: Source, { signers = [], requireSignature = false }: LoadPolicyOptions): void {
  const refuse = (message: string) => new SwornError('POLICY_INVALID', message, source.place(SIGNATURE))
  const { metadata } = value
  const signature = isObject(metadata) ? metadata.signature : undefined
  if (signature === undefined) {
    if (requireSignature) throw refuse('a signed policy was expected')
    return
  }
  if (signers.length === 0) throw refuse('signature is set, but no key to check it with was given')
  if (!isSignedPolicy(value, signature, signers)) throw refuse('the signature is of none of the given keys, or the policy was changed')
}

const SIGNATURE = ['metadata', 'signature']

/** true for what `loadPolicy` throws about a signature: a client is told -32010 instead of -32001. */
export function isSignatureFault(error: unknown): boolean {
  return SwornError.is(error, 'POLICY_INVALID') && error.at.endsWith(` ${SIGNATURE.join('.')}`)
}

function checkActedOn({ spec }: Json, source: Source, actsOn: readonly ActedOn[]): void {
  for (const section of ['identity', 'server'] as const) {
    if (!isObject(spec) || (spec[section] ?? undefined) === undefined || actsOn.includes(section)) continue
    throw new SwornError('POLICY_INVALID', `${section} is set, but nothing here acts on it`, source.place(['spec', section]))
  }
}

function checkShape(value: unknown, source: Source): PolicyDocument {
  const result = policySchema.safeParse(value)
  if (result.success) return result.data
  throw toError(result.error.issues[0]!, source)
}

/** AIP's reference ignores unknown keys and nulls. What it promises and does not do is refused all the same. */
function readLeniently(value: Json, source: Source, warnings: string[]): PolicyDocument {
  const copy = withoutNulls(value)
  const result = policySchema.safeParse(copy)
  for (const issue of result.error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue
    for (const key of issue.keys) {
      if (isAbsent(issue.path, key)) throw toError(issue, source)
      warnings.push(`unknown key ${quote(key)} is ignored (at ${source.place([...issue.path, key])})`)
      dropMember(copy, issue.path, key)
    }
  }
  return checkShape(copy, source)
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  )
}

function dropMember(root: unknown, path: readonly PropertyKey[], key: string): void {
  const parent = path.reduce<unknown>((value, step) => (value as Json)[step as string], root) // zod names members that exist
  delete (parent as Json)[key]
}

const rulePath = (path: readonly PropertyKey[]) => path.filter((step) => typeof step === 'string').join('.')
const isAbsent = (path: readonly PropertyKey[], key: string) => ABSENT.has(rulePath([...path, key]))
const quote = (key: string) => JSON.stringify(key.slice(0, 64))

function toError(issue: Issue, source: Source): SwornError {
  if (issue.code !== 'unrecognized_keys') return new SwornError('POLICY_INVALID', toMessage(issue), source.place(issue.path))
  const key = issue.keys.find((name) => isAbsent(issue.path, name)) ?? issue.keys[0]!
  const message = isAbsent(issue.path, key)
    ? `${key} is set, but this version does not act on it`
    : `unknown key ${quote(key)}${didYouMean(key, KEYS[rulePath(issue.path)] ?? [])}`
  return new SwornError('POLICY_INVALID', message, source.place([...issue.path, key]))
}

/** What was expected; zod's own texts could quote the value. */
function toMessage(issue: Issue): string {
  if (issue.code === 'invalid_type') return `${issue.expected} was expected`
  if (issue.code === 'invalid_value') return `${issue.values.map(String).join(' or ')} was expected`
  if (issue.code === 'too_small') return `at least ${issue.minimum} was expected`
  if (issue.code === 'too_big') return `at most ${issue.maximum} was expected`
  if (issue.code === 'invalid_format') return `a value of the form ${formOf(issue.path)} was expected`
  return 'another shape was expected'
}

function formOf(path: readonly PropertyKey[]): string {
  const key = String(path.at(-1))
  if (key === 'rate_limit') return 'N/second, N/minute or N/hour'
  if (key === 'max_scan_size') return 'N, NKB, NMB or NGB'
  if (key === 'schema_hash') return 'sha256:<hex>, sha384:<hex> or sha512:<hex>'
  if (key === 'listen') return 'host:port'
  if (key === 'alert_webhook') return 'https://host/path'
  return path.includes('endpoints') || key === 'jwks_endpoint' ? '/path' : '5m, 90s or 500ms'
}
