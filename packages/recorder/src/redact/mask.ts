/** Masks one text: spans merged, markers set, again until nothing is found. @module */
import { MARKER, markerOf, type Scanner, type Span } from './types.ts'

const MAX_ROUNDS = 6

/** The masked text; the same string when nothing was found. Masking a result again changes nothing. */
export function maskText(text: string, scanners: readonly Scanner[]): string {
  if (MARKER.test(text)) return text
  let masked = text
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const spans = outsideMarkers(
      masked,
      scanners.flatMap((scanner) => scanner.find(masked)),
    )
    if (spans.length === 0) return masked
    masked = replaceSpans(masked, spans)
  }
  return markerOf('unsettled')
}

/** Overlapping spans become one, named by the earliest and longest of them. */
function replaceSpans(text: string, spans: readonly Span[]): string {
  let out = ''
  let done = 0
  let name = ''
  let start = -1
  let end = -1
  const close = () => {
    if (start >= 0) out += text.slice(done, start) + markerOf(name)
    done = Math.max(done, end)
  }
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= 0 && span.start < end) end = Math.max(end, span.end)
    else {
      close()
      start = span.start
      end = span.end
      name = span.pattern
    }
  }
  close()
  return out + text.slice(done)
}

/** A user's pattern may match the marker itself: what lies within one stays. */
function outsideMarkers(text: string, spans: readonly Span[]): readonly Span[] {
  if (!text.includes('[REDACTED:')) return spans
  const markers = Array.from(text.matchAll(/\[REDACTED:[\w.-]{1,64}\]/g), (m) => ({ start: m.index, end: m.index + m[0].length }))
  return spans.flatMap((span) => subtract(span, markers))
}

function subtract(span: Span, markers: readonly { start: number; end: number }[]): readonly Span[] {
  const out: Span[] = []
  let from = span.start
  for (const { start, end } of markers) {
    if (end <= from || start >= span.end) continue
    if (start > from) out.push({ ...span, start: from, end: start })
    from = Math.max(from, end)
  }
  if (from < span.end) out.push({ ...span, start: from })
  return out
}
