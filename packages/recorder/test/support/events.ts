/** Shared by the tests of events, redaction and recorder. @module */
import { shapeEvent } from '../../src/event/shape.ts'
import { createRedactor, type RedactOptions } from '../../src/redact/redactor.ts'

export const STAMP = { timestamp: '2026-11-21T14:00:00.000Z', eventId: '0193a3f2-9c1e-7abc-8def-0123456789ab' }
export const MAC_KEY = new Uint8Array(32).fill(7)

/** The recorded form of an event, parsed. */
export function recorded(event: unknown, options: RedactOptions = {}, macKey: Uint8Array | undefined = MAC_KEY): Record<string, unknown> {
  return JSON.parse(printed(event, options, macKey))
}

export function printed(event: unknown, options: RedactOptions = {}, macKey: Uint8Array | undefined = MAC_KEY): string {
  return createRedactor(options, macKey).redact(shapeEvent(event, [], STAMP))
}
