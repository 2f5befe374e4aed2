/**
 * Server-sent events, read strictly and passed on as they came.
 *
 * An event is handed out with its own bytes; whoever changes nothing writes those. What two readers could see
 * differently is marked: a lone CR ends a line for some and not for others, so such an event is never passed on;
 * repeated or unknown fields and a byte order mark are lost because the event is then written anew. Memory is bounded.
 * Source: WHATWG HTML §9.2, MCP 2025-11-25 and 2026-07-28 "Streamable HTTP".
 * @module
 */
import { createSplitter, MAX_FRAME_BYTES } from '../frames/split.ts'

export interface SseEvent {
  /** As it arrived, with the blank line that ends it. */
  readonly raw: Buffer
  /** Undefined when there is no data, or it is empty. */
  readonly data: Buffer | undefined
  readonly id?: string
  readonly event?: string
  readonly retry?: string
  /** `as-is`: every reader sees this. `anew`: only once it is written again. `no`: never passed on. */
  readonly passable: 'as-is' | 'anew' | 'no'
}

export interface EventReader {
  push(chunk: Buffer): void
}

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const SPACE = 0x20
/** Lines of one event. */
const MAX_LINES = 65_536
const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const FIELDS = new Set(['data', 'id', 'event', 'retry'])

interface Fields {
  data: Buffer[]
  id?: string
  event?: string
  retry?: string
  passable: SseEvent['passable']
}

function lineOf(frame: Buffer): Buffer {
  const end = frame.length - (frame.at(-2) === CR ? 2 : 1)
  return frame.subarray(0, end)
}

function addLine(fields: Fields, line: Buffer): void {
  if (line.length === 0 || line[0] === COLON) return
  const colon = line.indexOf(COLON)
  const name = line.toString('latin1', 0, colon < 0 ? line.length : Math.min(colon, 16))
  const value = colon < 0 ? line.subarray(line.length) : line.subarray(colon + (line[colon + 1] === SPACE ? 2 : 1))
  if (name === 'data') {
    if (fields.data.length > 0) fields.passable = 'anew'
    fields.data.push(value)
  } else if (FIELDS.has(name)) addField(fields, name as 'id' | 'event' | 'retry', value.toString('utf8'))
  else fields.passable = 'anew'
}

function addField(fields: Fields, name: 'id' | 'event' | 'retry', value: string): void {
  if (fields[name] !== undefined || value.includes('\0')) fields.passable = 'anew'
  if (!value.includes('\0')) fields[name] = value
}

function joinLines(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line, n) => (n === 0 ? [line] : [Buffer.of(LF), line])))
}

/** One event from its lines, terminators included. Attacker-controlled input. */
export function parseEvent(frames: readonly Buffer[]): SseEvent {
  const fields: Fields = { data: [], passable: 'as-is' }
  let ambiguous = false
  for (const frame of frames) {
    const line = lineOf(frame)
    ambiguous ||= line.includes(CR)
    addLine(fields, line)
  }
  const { data, passable, ...rest } = fields
  const whole = data.length === 1 ? data[0]! : joinLines(data)
  const raw = frames.length === 1 ? frames[0]! : Buffer.concat(frames)
  return { raw, data: whole.length === 0 ? undefined : whole, ...rest, passable: ambiguous ? 'no' : passable }
}

/** Splits a stream into events. `onLost`: an event was larger than a message may be; the stream is of no more use. */
export function createEventReader(onEvent: (event: SseEvent) => void, onLost: () => void, maxBytes = MAX_FRAME_BYTES): EventReader {
  let frames: Buffer[] = []
  let bytes = 0
  let first = true
  let lost = false

  function lose(): void {
    if (!lost) onLost()
    lost = true
    frames = []
  }

  function take(frame: Buffer): void {
    if (lost) return
    const marked = first && frame.subarray(0, 3).equals(BOM)
    first = false
    bytes += frame.length
    if (bytes > maxBytes || frames.length >= MAX_LINES) lose()
    else frames.push(marked ? frame.subarray(3) : frame) // a byte order mark is lost
    if (!lost && lineOf(frame).length === 0) finish()
  }

  function finish(): void {
    const whole = frames
    frames = []
    bytes = 0
    onEvent(parseEvent(whole))
  }
  const splitter = createSplitter({ maxBytes, onFrame: take, onLost: (why) => why === 'too_long' && lose() })
  return { push: (chunk) => splitter.push(chunk) }
}

/** An event written anew around `data`, without line ends in it. */
export function formatEvent({ id, event, retry }: Pick<SseEvent, 'id' | 'event' | 'retry'>, data: Buffer | undefined): Buffer {
  const head = [
    event === undefined ? '' : `event: ${event}\n`,
    id === undefined ? '' : `id: ${id}\n`,
    retry === undefined ? '' : `retry: ${retry}\n`,
  ].join('')
  const body = data === undefined ? Buffer.from('data: ') : Buffer.concat([Buffer.from('data: '), oneLine(data)])
  return Buffer.concat([Buffer.from(head), body, Buffer.from('\n\n')])
}

/** JSON without line ends: outside its strings they are white space, inside they cannot stand. */
export function oneLine(json: Buffer): Buffer {
  const end = json.at(-1) === LF ? json.length - 1 : json.length
  const line = json.subarray(0, end)
  if (!line.includes(LF) && !line.includes(CR)) return line
  return Buffer.from(line.map((byte) => (byte === LF || byte === CR ? SPACE : byte)))
}
