/**
 * The JSON of server-sent events, taken from bytes as they pass. Source: WHATWG HTML, "Server-sent events", `data` lines.
 * @module
 */
import { parse } from './model-request.ts'

export interface EventReader {
  add(bytes: Uint8Array): void
}

/** An event longer than this is not read. */
const MAX_CHARS = 2 ** 20

/** Calls `take` for each event whose data is JSON. Nothing here throws but `take`. */
export function createEventReader(take: (event: unknown) => void): EventReader {
  const decoder = new TextDecoder()
  let rest = ''
  let data = ''
  const line = (text: string): void => {
    if (text.startsWith('data:')) data = data.length + text.length > MAX_CHARS ? '' : `${data}${text.slice(5)}\n`
    if (text !== '' || data === '') return
    const event = parse(data)
    data = ''
    if (event !== undefined) take(event)
  }
  return {
    add(bytes) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r\n|\n|\r(?!$)/)
      rest = lines.pop() ?? ''
      if (rest.length > MAX_CHARS) rest = ''
      for (const text of lines) line(text)
    },
  }
}
