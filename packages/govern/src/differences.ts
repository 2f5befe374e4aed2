/**
 * Where `strict` and `aip-compat` decide differently for one policy: each topic of the table with the places it concerns.
 *
 * A topic whose places are `[]` (the document itself) concerns every call. Reads a document that either profile may
 * refuse: hostile shapes have no places. Source: `profiles.ts`.
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { asText } from '@sworn/recorder'
import { normalizeName } from './names.ts'
import { loadPolicy } from './policy/load.ts'
import { parseYaml } from './policy/yaml.ts'
import { type ProfileDifference, profileDifferences, type Topic } from './profiles.ts'

export interface FoundDifference extends ProfileDifference {
  /** `name:line:column path` each; the file alone: every call. */
  readonly at: readonly string[]
}

type Path = readonly PropertyKey[]
type Json = Readonly<Record<string, unknown>>
/** What of a document concerns a topic. */
type Finder = (spec: Json, document: unknown) => readonly Path[]

const EVERYWHERE: readonly Path[] = [[]]
const NOWHERE: readonly Path[] = []

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const has =
  (...path: readonly string[]) =>
  (spec: Json) =>
    path.reduce<unknown>(memberOf, spec) == null ? NOWHERE : [['spec', ...path]]
const memberOf = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined)

const NAME_LISTS = ['allowed_tools', 'denied_tools', 'allowed_methods', 'denied_methods'] as const

/** Every name with its place. */
function namesOf(spec: Json): readonly (readonly [name: string, path: Path])[] {
  const listed = NAME_LISTS.flatMap((list) => listOf(spec[list]).map((name, n) => [name, ['spec', list, n]] as const))
  const ruled = listOf(spec.tool_rules).map((rule, n) => [memberOf(rule, 'tool'), ['spec', 'tool_rules', n, 'tool']] as const)
  return [...listed, ...ruled].flatMap(([name, path]) => (typeof name === 'string' ? [[name, path] as const] : []))
}

/** Rules for which `want` holds, at their member `name`. */
const rules = (name: string, want: (rule: Json) => boolean) => (spec: Json) =>
  listOf(spec.tool_rules).flatMap((rule, n) => (isObject(rule) && want(rule) ? [['spec', 'tool_rules', n, name]] : []))

const normal = (value: unknown) => normalizeName(asText(value), 'strict')

function twoRules(spec: Json): readonly Path[] {
  const seen = new Set<string>()
  return rules('tool', ({ tool }) => seen.size === seen.add(normal(tool)).size)(spec)
}

function deniedInMonitor(spec: Json): readonly Path[] {
  if (spec.mode !== 'monitor') return NOWHERE
  const denied = new Set(listOf(spec.denied_tools).map(normal))
  return rules('action', ({ tool, action }) => (action === 'block' || action === 'ask') && denied.has(normal(tool)))(spec)
}

function nulls(value: unknown, path: Path = []): readonly Path[] {
  if (value === null) return [path]
  if (typeof value !== 'object' || value === undefined) return NOWHERE
  const entries: readonly (readonly [PropertyKey, unknown])[] = Array.isArray(value) ? [...value.entries()] : Object.entries(value as Json)
  return entries.flatMap(([name, member]) => nulls(member, [...path, name]))
}

const patterned = rules('allow_args', ({ allow_args }) => isObject(allow_args) && Object.keys(allow_args).length > 0)
const bareNames = (spec: Json) =>
  listOf(spec.protected_paths).flatMap((path, n) => (/[/\\]/.test(asText(path)) ? [] : [['spec', 'protected_paths', n]]))
const openFailing = (spec: Json) =>
  memberOf(spec.server, 'failover_mode') === 'fail_open' ? [['spec', 'server', 'failover_mode']] : NOWHERE
const isOn =
  (...path: readonly string[]) =>
  (spec: Json) =>
    path.reduce<unknown>(memberOf, spec) === true ? [['spec', ...path]] : NOWHERE

const FINDERS: Readonly<Record<Topic, Finder>> = {
  'no policy': () => NOWHERE,
  'unknown keys in the policy': () => NOWHERE, // read from the warnings of the lenient reading
  'null in the policy': (_spec, document) => nulls(document),
  'two rules for one tool': twoRules,
  '`*` and `?` in tool names': (spec) =>
    namesOf(spec).flatMap(([name, path]) => (/[*?]/.test(name) && !(name === '*' && path[1] === 'allowed_methods') ? [path] : [])),
  'schema_hash of a tool that was not described': rules('schema_hash', ({ schema_hash }) => schema_hash != null),
  'a tool that is described differently than at first': () => EVERYWHERE,
  'name normalisation': () => EVERYWHERE,
  'default methods': (spec) => (spec.allowed_methods == null ? EVERYWHERE : NOWHERE),
  'allow_args patterns': patterned,
  'lists and objects under allow_args': patterned,
  'strict_args without allow_args': rules('strict_args', ({ strict_args, allow_args }) => strict_args === true && !isObject(allow_args)),
  'strict_args_default for tools without a rule': isOn('strict_args_default'),
  'protected paths: where': has('protected_paths'),
  'protected paths: spelling': has('protected_paths'),
  'protected paths: links': has('protected_paths'),
  'protected paths: parents': has('protected_paths'),
  'protected bare names (`.env`)': bareNames,
  'monitor and denied_tools': deniedInMonitor,
  rates: rules('rate_limit', ({ rate_limit }) => rate_limit != null),
  'a token for another policy and another audience': has('identity'),
  'validation: who is answered': has('server'),
  'validation: a token in the body': has('server'),
  'health and metrics': has('server'),
  'fail_open without bounds': openFailing,
  'DLP patterns that match nothing or their own marker': has('dlp', 'patterns'),
  'DLP in member names': has('dlp'),
  'DLP masking': has('dlp'),
  'DLP: what overlaps': has('dlp'),
  'DLP inside encodings': isOn('dlp', 'detect_encoding'),
  'DLP beyond max_scan_size': has('dlp'),
}

/**
 * The topics that concern this policy, in the order of the table.
 * @param signers as `LoadPolicyOptions`
 * @throws SwornError POLICY_INVALID when the text is no YAML, or neither profile can read it
 */
export function findDifferences(
  source: { readonly text: string; readonly name: string },
  signers: readonly KeyObject[] = [],
): readonly FoundDifference[] {
  const { value, place } = parseYaml(source.text, source.name)
  const spec = memberOf(value, 'spec')
  const unknown = loadPolicy(source, { profile: 'aip-compat', actsOn: ['identity', 'server'], signers }).warnings
  return profileDifferences.flatMap((difference) => {
    const found = FINDERS[difference.topic](isObject(spec) ? spec : {}, value).map((path) => (path.length > 0 ? place(path) : source.name))
    const at = difference.topic === 'unknown keys in the policy' ? unknown.map(placeOf) : found
    return at.length > 0 ? [{ ...difference, at }] : []
  })
}

/** Warnings end with `(at …)`. */
function placeOf(warning: string): string {
  return /\(at (.*)\)$/s.exec(warning)?.[1] ?? ''
}
