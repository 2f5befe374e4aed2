/**
 * Entries to a logger of the program (pino, winston, console), and to `diagnostics_channel` `sworn:entry`.
 *
 * The level is that of the risk, as Aegis maps it, or of the severity where no risk is known; a denied action is never
 * below warning, so that it is seen at every usual level. Source: design "logger" and seed E8, hole EW9.
 * @module
 */

import { channel } from 'node:diagnostics_channel'
import type { Event } from '@sworn/dialects'
import { asText } from '@sworn/verify'
import type { OpenSink } from '../sink.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** The part of a logger that is used: pino, console and winston fit. */
export type Logger = { readonly [level in Level]: (members: object, message: string) => unknown }

const LIMITS = { items: 200, bytes: 1 << 20 }
const ORDER: readonly Level[] = ['debug', 'info', 'warn', 'error']
const OF_RISK: Readonly<Record<string, Level>> = { low: 'debug', medium: 'info', high: 'warn', critical: 'error' }
const OF_SEVERITY: Readonly<Record<string, Level>> = { debug: 'debug', info: 'info', warning: 'warn', error: 'error', critical: 'error' }

export function levelOfEvent({ risk_level: risk, severity, decision }: Event): Level {
  const level = OF_RISK[asText(risk)] ?? OF_SEVERITY[asText(severity)] ?? 'info'
  return decision === 'deny' && ORDER.indexOf(level) < ORDER.indexOf('warn') ? 'warn' : level
}

/** @param logger absent: only the channel */
export function loggerSink(logger?: Logger): OpenSink {
  const entries = channel('sworn:entry')
  return async () => ({
    limits: LIMITS,
    async send(items) {
      for (const { event } of items) {
        entries.publish(event)
        logger?.[levelOfEvent(event)](event, `${event.event_type}${typeof event.tool === 'string' ? ` ${event.tool}` : ''}`)
      }
      return {}
    },
    probe: async () => ({ shown: 'in the process that delivers; there is nothing to reach' }),
    close: async () => {},
  })
}
