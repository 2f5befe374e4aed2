/**
 * Both ways between events and one dialect, with nothing lost that has a place.
 *
 * A codec says which members correspond; this file keeps the rest. From an event: what the codec cannot say goes to
 * the dialect's free slot under `sworn`, with the entry's seq and hash, or into a sidecar where the dialect has no
 * such slot. From a foreign record: what an event cannot say goes to `metadata.ext.<dialect>`, and comes back from
 * there, so that an imported record leaves again as it came, digits and member order included. Only for an event whose
 * `source` says that it was imported from this very dialect: metadata alone must not speak for an event.
 * Source: docs/reference/dialects.md.
 * @module
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@sworn/verify'
import { RESERVED_MEMBERS } from '@sworn/verify/events'
import { type Event, fitMembers } from './members.ts'
import { type Digits, equalJson, type Native, type NumberFormat } from './native.ts'

/** What a dialect and an event have in common. Total and pure: no value of the right type makes it throw. */
export interface Codec {
  readonly name: string
  /** Members in the order in which the dialect writes them; undefined ones are left out. */
  encode(event: Event): Readonly<Record<string, JsonValue | undefined>>
  /** Members of an event; what does not fit docs/format.md is dropped by the caller and stays foreign. */
  decode(record: JsonObject): Readonly<Record<string, JsonValue | undefined>>
  /** Pointer of the numbers that `encode` writes with digits of its own. */
  digits?(record: JsonObject): Digits
  /** Compact JSON when absent. */
  readonly print?: { record(record: JsonObject, digits: Digits): string; readonly number: NumberFormat }
  /** True for a record that needs nothing kept, because it holds an event of ours whole. */
  isWhole?(record: JsonObject): boolean
  /** Where the rest goes: a member of the record, one of its `metadata`, a sidecar file, or there is no rest. */
  readonly slot: 'record' | 'metadata' | 'sidecar' | 'none'
  /** The member by which a sidecar names a record. */
  readonly id?: string
}

export interface Encoded extends Native {
  /** The whole event, for the sidecar. */
  readonly beside?: JsonObject
  /** It was imported from this dialect and carries its own links and signatures. */
  readonly imported: boolean
}

/** Members of an entry that are the ledger's and that a slot may name. */
const POSITION = ['seq', 'entry_hash'] as const
const STORED: ReadonlySet<string> = new Set(RESERVED_MEMBERS)

/** The record of an event or entry. */
export function toNative(codec: Codec, entry: Event): Encoded {
  const { own, kept } = takeKept(codec.name, entry)
  const event = withoutStored(own)
  const record = withoutSlot(codec, defined(codec.encode(own)))
  const digits = codec.digits?.(record) ?? {}
  if (kept) return { value: restore(record, kept), digits: { ...digits, ...kept.digits }, imported: true }
  if (codec.slot === 'none') return { value: record, digits, imported: false }
  if (codec.slot === 'sidecar') return { value: record, digits, beside: defined(event), imported: false }
  const rest = differenceOf(event, decode(codec, record))
  const position = POSITION.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]]))
  const slot: JsonObject = { ...Object.fromEntries(position), event: rest.set, ...(rest.drop.length > 0 && { without: rest.drop }) }
  return { value: fillSlot(codec, record, slot), digits, imported: false }
}

/**
 * The event of a foreign record, `metadata.ext.<dialect>` holding what has no member; of a record with `sworn` in its
 * free slot, the event as it was. Members that do not fit are left where they are; `event_type` is always there.
 */
export function fromNative(codec: Codec, native: Native): Event {
  const { record, slot } = takeSlot(codec, native.value)
  if (codec.isWhole?.(record)) return asEvent(fitMembers(codec.decode(record)))
  const decoded = decode(codec, record)
  if (slot) return asEvent(applyRest(decoded, slot))
  const event = asEvent(decoded)
  return keep(codec.name, event, complementOf(codec, event, native))
}

/** The members that fit. A foreign `metadata.ext` stays foreign: the name is ours. */
function decode(codec: Codec, record: JsonObject): JsonObject {
  const { metadata, ...members } = fitMembers(codec.decode(record))
  const isOurs = isJsonObject(metadata) && Object.keys(metadata).length > 0 && !Object.hasOwn(metadata, 'ext')
  return isOurs ? { ...members, metadata } : members
}

/** An event that a record of unknown kind stands for at least. */
function asEvent(members: JsonObject): Event {
  return { event_type: 'imported_record', ...members }
}

/** What an imported record has besides the event: JSON, because it is stored. */
interface Kept {
  readonly set?: JsonObject
  readonly drop?: readonly string[]
  readonly order?: readonly string[]
  readonly digits?: Digits
}

function complementOf(codec: Codec, event: Event, { value, digits }: Native): Kept {
  const made = defined(codec.encode(event))
  const { set, drop } = differenceOf(value, made)
  const order = Object.keys(value)
  const isInOrder = Object.keys(restore(made, { set, drop })).join('\n') === order.join('\n')
  const extra = digitsBeside(codec.digits?.(made) ?? {}, digits, codec.print?.number ?? JSON.stringify)
  return {
    ...(Object.keys(set).length > 0 && { set }),
    ...(drop.length > 0 && { drop }),
    ...(!isInOrder && { order }),
    ...(Object.keys(extra).length > 0 && { digits: extra }),
  }
}

/** The digits of a record where the dialect would write others. */
function digitsBeside(written: Digits, found: Digits, usual: NumberFormat): Digits {
  const plain = Object.entries(written)
    .filter(([at, text]) => !Object.hasOwn(found, at) && usual(Number(text)) !== text)
    .map(([at, text]) => [at, usual(Number(text))])
  return Object.fromEntries([...Object.entries(found).filter(([at, text]) => written[at] !== text), ...plain])
}

/** The record that `kept` was taken from, as far as the event has not changed since. */
function restore(record: JsonObject, { set = {}, drop = [], order = [] }: Kept): JsonObject {
  const members = Object.entries({ ...record, ...set }).filter(([name]) => !drop.includes(name))
  const rank = new Map(order.map((name, i) => [name, i]))
  if (order.length > 0) members.sort(([a], [b]) => (rank.get(a) ?? order.length) - (rank.get(b) ?? order.length))
  return Object.fromEntries(members)
}

/** `event` as one that was imported: its metadata has no `ext` of its own yet. */
function keep(name: string, event: Event, kept: Kept): Event {
  const metadata = isJsonObject(event.metadata) ? event.metadata : {}
  const ext = { [name]: { ...kept } as JsonObject } // Kept is JSON
  return { ...event, source: { kind: 'import', name, vantage: 'reported' }, metadata: { ...metadata, ext } }
}

/** Takes what an import of this dialect kept out of an event. */
function takeKept(name: string, entry: Event): { own: Event; kept?: Kept } {
  const { metadata, source } = entry
  const isImported = isJsonObject(source) && source.kind === 'import' && source.name === name
  if (!isImported || !isJsonObject(metadata) || !isJsonObject(metadata.ext) || !isKept(metadata.ext[name])) return { own: entry }
  const { [name]: kept, ...others } = metadata.ext
  const { ext: _, ...rest } = metadata
  const left = Object.keys(others).length > 0 ? { ...rest, ext: others } : rest
  const { metadata: __, source: ___, ...own } = entry
  return { own: Object.keys(left).length > 0 ? { ...own, metadata: left } : (own as Event), kept: kept as Kept } // checked by isKept
}

function isKept(value: JsonValue | undefined): boolean {
  if (!isJsonObject(value)) return false
  const { set, drop, order, digits } = value
  const isNames = (v: JsonValue | undefined) => v === undefined || (Array.isArray(v) && v.every((name) => typeof name === 'string'))
  const isTexts = digits === undefined || (isJsonObject(digits) && Object.values(digits).every((text) => typeof text === 'string'))
  return (set === undefined || isJsonObject(set)) && isNames(drop) && isNames(order) && isTexts
}

interface Difference {
  set: JsonObject
  drop: string[]
}

/** What turns `made` into `wanted`, member by member. */
function differenceOf(wanted: Readonly<Record<string, JsonValue | undefined>>, made: JsonObject): Difference {
  const set = Object.entries(wanted).filter(
    ([name, value]) => value !== undefined && !(Object.hasOwn(made, name) && equalJson(value, made[name])),
  )
  const drop = Object.keys(made).filter((name) => !Object.hasOwn(wanted, name) || wanted[name] === undefined)
  return { set: Object.fromEntries(set) as JsonObject, drop } // undefined was dropped
}

function applyRest(decoded: JsonObject, slot: JsonObject): JsonObject {
  const without = Array.isArray(slot.without) ? slot.without : []
  const set = isJsonObject(slot.event) ? fitMembers(slot.event) : {}
  return Object.fromEntries([...Object.entries(decoded).filter(([name]) => !without.includes(name)), ...Object.entries(set)])
}

function fillSlot({ slot }: Codec, record: JsonObject, value: JsonObject): JsonObject {
  if (slot === 'record') return { ...record, sworn: value }
  return { ...record, metadata: { ...(isJsonObject(record.metadata) && record.metadata), sworn: value } }
}

/** Before it is filled: a member of the event's own called `sworn` goes with the rest. */
function withoutSlot({ slot }: Codec, record: JsonObject): JsonObject {
  if (slot !== 'metadata' || !isJsonObject(record.metadata)) return record
  const { sworn: _, ...metadata } = record.metadata
  return { ...record, metadata }
}

function takeSlot(codec: Codec, value: JsonObject): { record: JsonObject; slot?: JsonObject } {
  const holder = codec.slot === 'metadata' ? value.metadata : codec.slot === 'record' ? value : undefined
  if (!isJsonObject(holder) || !isJsonObject(holder.sworn) || !isJsonObject(holder.sworn.event)) return { record: value }
  const { sworn: slot, ...rest } = holder
  return { record: codec.slot === 'metadata' ? { ...value, metadata: rest } : rest, slot }
}

function defined(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as JsonObject // undefined was dropped
}

function withoutStored(entry: Event): Readonly<Record<string, JsonValue | undefined>> {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => !STORED.has(name)))
}
