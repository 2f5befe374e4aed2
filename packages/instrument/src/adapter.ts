/**
 * What an adapter is: what it looks for, what it can do, and how it takes hold of one copy of an SDK.
 *
 * An adapter never imports the SDK: it is given what the application loaded. Source: spec capture §6, §7.
 * @module
 */
import type { Guard, Recorder } from '@sworn/recorder'
import type { LoadedFile } from './load/footer.ts'
import type { Patches } from './patches.ts'
import type { AdapterGuard } from './screening.ts'

/** The part of a recorder that instrumentation needs. */
export type InstrumentRecorder = Pick<Recorder, 'record' | 'withContext' | 'context' | 'newId' | 'onAuditFailure'>

/** A package that an adapter knows. */
export interface Target {
  readonly pkg: string
  /** What is imported of it, as a specifier; none: it is part of Node. */
  readonly entries: readonly string[]
  /** The oldest and the newest major version that its tests run with. */
  readonly tested: readonly [oldest: number, newest: number]
  /** It is reached through a global: the package is looked for, and not loaded. */
  readonly isGlobal?: true
  /** The files that hand over what is patched, where they are loaded under our hooks or bundled with our plugin. */
  readonly files?: readonly LoadedFile[]
}

/** One loaded copy. */
export interface Found {
  readonly pkg: string
  /** Absent when the application handed the module in and nothing says which version it is. */
  readonly version?: string
  readonly path?: string
  /** `given`: handed in by the application. `global`: reached without loading it, whichever copy it is. `bundled`: by our plugin. */
  readonly format: 'esm' | 'cjs' | 'bundled' | 'given' | 'global'
  readonly module: unknown
}

export interface Adapter {
  readonly id: string
  readonly layer: 'sdk' | 'framework' | 'wire'
  /** For docs/reference/instrument.md, a phrase each. */
  readonly facts: { readonly sees: string; readonly stops: string; readonly misses: string }
  /** Whether it can stop what it sees of this copy. */
  canBlock(found: Found): boolean
  readonly targets: readonly Target[]
  /** The names of what was patched, now or before; none when this copy has nothing that the adapter knows. Never throws. */
  patch(found: Found, tools: Tools): readonly string[]
}

/** What an adapter works with. */
export interface Tools {
  /** For what is run with other arguments where the verdict has them. */
  readonly guard: AdapterGuard
  /** For what cannot be: what has to be masked is refused. */
  readonly fixed: AdapterGuard
  /** For what others ask of this process, who may record it too: another observer of the same action. */
  readonly received: AdapterGuard
  /** For what cannot be stopped: nobody decides, and a record that fails stops nothing. */
  readonly observer: Guard
  readonly recorder: InstrumentRecorder
  readonly patches: Patches
}

/** What became of one copy; recorded as `instrumentation_report`. */
export interface Coverage {
  readonly adapter: string
  readonly package: string
  readonly version?: string
  readonly path?: string
  readonly format: Found['format']
  /** The version lies within what the tests run with; absent where it is not known. */
  readonly tested?: boolean
  readonly can_block: boolean
  readonly patched: readonly string[]
}
