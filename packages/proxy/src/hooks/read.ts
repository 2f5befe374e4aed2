/**
 * One hook's JSON to a `Hook`: by the client's table of names, bounded, nothing guessed.
 *
 * Hostile input: the agent, and whatever talks to it, chose most of these texts. What readers of JSON disagree about is
 * refused, so that what is judged is what the client runs. Half a surrogate pair is refused where a call is judged; in what
 * comes later, an output cut within an emoji, the recorder replaces it and says so.
 * @module
 */
import { parseStrict, SwornError } from '@sworn/recorder'
import { isWellFormed } from '../frames/scan.ts'
import { type Hook, type HookClient, type HookKind, type Payload, TEXT_MEMBERS, type TextMember, type ValueMember } from './types.ts'

/** Bytes of one payload. */
export const MAX_HOOK_BYTES = 16 << 20
const MAX_TEXT = 1024
const MAX_DEPTH = 200

/**
 * @param bytes what came on stdin
 * @param event the event's name from the command line; absent: the payload's `hook_event_name`
 * @throws SwornError EVENT_INVALID when it is no such payload, or is about another event than the command line says
 */
export function readHook(client: HookClient, bytes: Uint8Array, event?: string): Hook {
  const payload = parsePayload(bytes)
  const named = typeof payload.hook_event_name === 'string' ? payload.hook_event_name : undefined
  const name = event ?? named
  if (event !== undefined && named !== undefined && event !== named)
    throw new SwornError('EVENT_INVALID', 'the event that the command line names was expected', '/hook_event_name')
  const kind = name === undefined ? undefined : kindOf(client, name)
  if (name === undefined || kind === undefined)
    throw new SwornError('EVENT_INVALID', `an event of ${client.name} was expected`, '/hook_event_name')
  if (kind === 'before' && !isWellFormed(payload)) throw new SwornError('EVENT_INVALID', 'text without lone surrogates was expected')
  return toHook(client, payload, name, kind)
}

/** What stands for a payload that cannot be read; undefined where nobody says which hook it was of. */
export function unreadHook(client: HookClient, event: string, unread: SwornError): Hook | undefined {
  const kind = kindOf(client, event)
  return kind && { kind, event, status: 'unknown', unread }
}

/** undefined: the client has no such event, or it is not one that we read. */
export function kindOf({ events }: HookClient, event: string): HookKind | undefined {
  return Object.hasOwn(events, event) ? events[event] : undefined
}

function parsePayload(bytes: Uint8Array): Payload {
  if (bytes.length > MAX_HOOK_BYTES) throw new SwornError('EVENT_INVALID', `a payload of at most ${MAX_HOOK_BYTES} bytes was expected`)
  let value: unknown
  try {
    value = parseStrict(bytes, { maxDepth: MAX_DEPTH, loneSurrogates: 'keep' })
  } catch (e) {
    if (!SwornError.is(e)) throw e
    throw new SwornError('EVENT_INVALID', e.message, e.at)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SwornError('EVENT_INVALID', 'an object was expected')
  return value as Payload // an object, not an array
}

function toHook(client: HookClient, payload: Payload, event: string, kind: HookKind): Hook {
  const find = (member: TextMember | ValueMember) => findValue(payload, client.members[member] ?? [])
  const texts = TEXT_MEMBERS.map((member) => [member, toText(find(member))] as const)
  const isCall = kind === 'before' || kind === 'after' || kind === 'failed'
  if (isCall && texts.every(([member, text]) => member !== 'tool' || text === undefined))
    throw new SwornError('EVENT_INVALID', 'the name of a tool, of at most 1,024 characters, was expected')
  const durationMs = find('durationMs')
  const values = {
    input: toInput(find('input')),
    output: find('output'),
    error: find('error'),
    prompt: find('prompt'),
    durationMs: typeof durationMs === 'number' && durationMs >= 0 ? durationMs : undefined,
  }
  const present = [...texts, ...Object.entries(values)].filter(([, value]) => value !== undefined)
  const status = client.status?.(payload, kind) ?? STATUS[kind] ?? 'ok'
  return { kind, event, status, ...Object.fromEntries(present) }
}

const STATUS: Partial<Record<HookKind, Hook['status']>> = { failed: 'error', permission_denied: 'denied' }

/** The first of `names` that is there; `a.b` is member `b` of the object `a`. */
function findValue(payload: Payload, names: readonly string[]): unknown {
  for (const name of names) {
    let value: unknown = payload
    for (const part of name.split('.')) value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined
    if (value !== undefined && value !== null) return value
  }
  return undefined
}

/** An id or a name that is longer is not one; numbers are times. */
function toText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT && value.isWellFormed() ? value : undefined
}

/** Arguments that come as JSON text are judged as what they say. */
function toInput(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[{[]/.test(value)) return value
  try {
    return parseStrict(Buffer.from(value), { maxDepth: MAX_DEPTH })
  } catch {
    return value
  }
}

function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
