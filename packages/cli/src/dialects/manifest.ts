/**
 * What stands beside an export: which events it holds, what the dialect could not say, and how to check the file.
 * @module
 */
import type { Descriptor } from '@sworn/dialects'
import { VERSION } from '../frame/version.ts'
import type { Written } from './line-file.ts'

/** How many entries were met and what became of them. */
export interface Counts {
  events: number
  /** The ledger's own records, which no dialect has. */
  log_records: number
  /** Entries of which only the hashes are here. */
  withheld: number
  /** Lines that are no entries. */
  unreadable: number
  first_seq?: number
  last_seq?: number
}

/** What a verification before the export said; null when none was asked for. */
export interface Checked {
  readonly level: string
  readonly verdict: string
  /** Entries with a smaller seq were checked and exported. */
  readonly size: number
  readonly head: string
}

export interface ManifestInput {
  readonly dialect: Descriptor
  readonly counts: Counts
  readonly file: { readonly name: string } & Written
  readonly sidecar?: ({ readonly name: string } & Written) | undefined
  readonly filter: readonly string[]
  readonly origin?: string | undefined
  readonly checked?: Checked | undefined
  readonly created: string
}

export function formatManifest({ dialect, counts, file, sidecar, filter, origin, checked, created }: ManifestInput): string {
  const { name, title, source, mediaType, names, rest, loss } = dialect
  const manifest = {
    manifest: 'sworn export 1',
    sworn: VERSION,
    created,
    dialect: { name, title, source, media_type: mediaType },
    file,
    sidecar: sidecar ?? null,
    ledger: { origin: origin ?? null, filter, ...counts, verified: checked ?? null },
    named: names,
    rest,
    loss,
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}
