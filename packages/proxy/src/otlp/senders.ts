/**
 * Who sends: the first event of a sender is preceded by an `instrumentation_report` of it.
 *
 * A sender is a token with a service and its version. It is reported once while this process runs, of the newest 1,000;
 * nothing that is told this way could be stopped, and which of its calls it leaves out nobody knows.
 * Source: docs/format.md (spec events §2).
 * @module
 */
import type { AuditEvent } from '@sworn/recorder'
import type { Told } from './told.ts'
import { textOf } from './values.ts'

const MAX_SENDERS = 1000
const MAX_CHARS = 256

export interface Senders {
  /** Reports of those that were not met before; again until `keep` is called. @param producer who the token names */
  look(told: readonly Told[], producer: string): { readonly reports: readonly AuditEvent[]; keep(): void }
}

export function createSenders(): Senders {
  const known = new Set<string>()
  return {
    look(told, producer) {
      const met = new Map<string, AuditEvent>()
      for (const one of told) {
        const { key, report } = describe(one, producer)
        if (!known.has(key) && !met.has(key)) met.set(key, report)
      }
      return {
        reports: [...met.values()],
        keep() {
          for (const key of met.keys()) known.add(key)
          for (const oldest of known) {
            if (known.size <= MAX_SENDERS) break
            known.delete(oldest)
          }
        },
      }
    },
  }
}

function describe({ resource }: Told, producer: string): { readonly key: string; readonly report: AuditEvent } {
  const text = (name: string) => textOf(resource.get(name))?.slice(0, MAX_CHARS).toWellFormed()
  const [service, version] = [text('service.name'), text('service.version')]
  const sdk = ['name', 'version', 'language'].map((part) => text(`telemetry.sdk.${part}`)).filter((part) => part !== undefined)
  const source = {
    kind: 'otlp',
    ...(service !== undefined && { name: service }),
    ...(version !== undefined && { version }),
    vantage: 'reported',
  } as const
  const client = `${service ?? 'unknown'} (otlp)` // not the name that its hooks have, which can block
  const metadata = {
    client,
    ...(version !== undefined && { version }),
    format: 'otlp',
    ...(sdk.length > 0 && { sdk: sdk.join(' ') }),
    can_block: false,
    not_shown: 'what the sender leaves out',
  }
  return {
    key: JSON.stringify([producer, service, version]),
    report: { event_type: 'instrumentation_report', user: producer, user_source: 'token', source, metadata },
  }
}
