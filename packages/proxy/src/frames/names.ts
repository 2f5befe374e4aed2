/**
 * Names that must not be read two ways: protocol members, methods, tools.
 *
 * One folding for all of them, wider than what any known server does when it compares names
 * loosely: NFKC, invisible characters and marks removed, upper then lower case. A name that folds
 * to a protocol name without being it is refused; we never repair it.
 * Source: checklist AW15–AW17, policy.md §6.3.
 * @module
 */

const INVISIBLE = /[\p{C}\p{M}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu
const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u
const PLAIN = /^[A-Za-z0-9_./$:-]+$/
const METHOD = /^[\x21-\x7e]+$/
/** Longest name of a method or a tool, in UTF-16 units; the protocol advises 128 for tools. */
const MAX_NAME = 1024

/** How the loosest reader would see a name. Total. */
export function foldName(name: string): string {
  if (METHOD.test(name)) return name.toUpperCase().toLowerCase() // visible ASCII: nothing to normalise, nothing invisible
  return name.normalize('NFKC').replace(INVISIBLE, '').toUpperCase().toLowerCase()
}

/** A set of exact names with the test "looks like one of them, is none of them". */
export interface Vocabulary {
  has(name: string): boolean
  /** True for `METHOD`, `Name`, `ıd`, `ｐarams`, …; false for the exact name and for any other name. */
  imitates(name: string): boolean
}

export function createVocabulary(names: readonly string[]): Vocabulary {
  const exact = new Set(names)
  const folded = new Set(names.map(foldName))
  return {
    has: (name) => exact.has(name),
    imitates: (name) => !exact.has(name) && name.length <= MAX_NAME && folded.has(foldName(name)),
  }
}

/** Members of a JSON-RPC message. */
export const ENVELOPE = createVocabulary(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
/** Members of a JSON-RPC error. */
export const ERROR = createVocabulary(['code', 'message', 'data'])
/** Members of `params` that decide what a known method does. */
// biome-ignore format: a table, read by its columns
export const PARAMS = createVocabulary([
  'name', 'arguments', '_meta', 'uri', 'ref', 'task', 'taskId', 'requestId', 'requestState', 'inputResponses', 'protocolVersion', 'clientInfo',
])
/** Members of `params._meta` that we read. */
export const META = createVocabulary([
  'progressToken',
  'traceparent',
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/clientCapabilities',
  'io.aip/identity-token',
])
/** Members of a tool's result. */
export const RESULT = createVocabulary(['content', 'structuredContent', 'isError', 'resultType', '_meta', 'inputRequests', 'requestState'])
/** Members of the answer to `tools/list`, and of a tool in it. */
export const LIST = createVocabulary(['tools', 'nextCursor', 'resultType', '_meta'])
export const TOOL = createVocabulary(['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations', '_meta'])
/** Methods of both protocol eras, both directions. */
// biome-ignore format: a table, read by its columns
export const METHODS = createVocabulary([
  'initialize', 'ping', 'tools/call', 'tools/list', 'resources/list', 'resources/read', 'resources/templates/list', 'resources/subscribe',
  'resources/unsubscribe', 'prompts/list', 'prompts/get', 'completion/complete', 'logging/setLevel', 'sampling/createMessage', 'roots/list',
  'elicitation/create', 'tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel', 'server/discover', 'subscriptions/listen',
  'notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/message',
  'notifications/resources/updated', 'notifications/resources/list_changed', 'notifications/tools/list_changed',
  'notifications/prompts/list_changed', 'notifications/roots/list_changed', 'notifications/tasks/status',
  'notifications/elicitation/complete', 'notifications/subscriptions/acknowledged',
])

/** True when the method is printable ASCII without spaces and no disguise of a protocol method. */
export function isPlainMethod(method: string): boolean {
  return METHODS.has(method) || (method.length <= MAX_NAME && METHOD.test(method) && !METHODS.imitates(method))
}

/**
 * True when a tool's name can be shown and compared in one way only: nothing invisible, no control
 * or bidi character, no compatibility form (full-width letters), no space at either end.
 */
export function isPlainToolName(name: string): boolean {
  if (name.length === 0 || name.length > MAX_NAME) return false
  if (PLAIN.test(name)) return true
  return !UNSAFE.test(name) && name === name.normalize('NFKC') && name === name.trim()
}

/** The first member of `object` that imitates a word of the vocabulary. */
export function findImitation(object: object, words: Vocabulary): string | undefined {
  for (const name in object) if (words.imitates(name)) return name
  return undefined
}
