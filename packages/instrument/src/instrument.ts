/**
 * One line that records what the SDKs in a process do: `await instrument(recorder)`.
 *
 * Capture from inside is cooperative: the process can undo it, and what uses no known SDK is not seen. What was found,
 * in which version, and whether it can be stopped is recorded as `instrumentation_report`. Nothing is thrown into the
 * host except a refusal. Source: spec capture §6.
 * @module
 */
import type { Adapter, Coverage, Found, InstrumentRecorder, Target, Tools } from './adapter.ts'
import { type Deciding, guardOf, observerOf, receivedBy } from './deciding.ts'
import { applicationBases, findCopies } from './find.ts'
import { onArrival } from './load/arrivals.ts'
import { addFooters, hasLoadHooks } from './load/hooks.ts'
import { createPatches, type Patches } from './patches.ts'
import { ADAPTERS } from './table.ts'

export interface InstrumentOptions extends Deciding {
  /** Package name → what the application imported from it. Given, nothing else is looked for or loaded. */
  readonly modules?: Readonly<Record<string, unknown>>
  /**
   * `all` by default: what the application can resolve is loaded now. `as_loaded`: nothing is loaded, and each copy is
   * instrumented when the application loads it, wherever it lies. That is for what runs before the application
   * (`node --import`); under a Node whose hooks do not see every file it is `all` for SDKs.
   */
  readonly find?: 'all' | 'as_loaded'
  /** Instead of all that are known. */
  readonly adapters?: readonly Adapter[]
}

export interface Instrumentation {
  /** One for each copy of an SDK that was found; grows when more are loaded, from a bundle or as `find` says. */
  readonly coverage: readonly Coverage[]
  /** Gives every method back; what is under way is still recorded to its end. */
  undo(): void
}

const OPTIONS: ReadonlySet<string> = new Set(['gate', 'ask', 'prices', 'modules', 'find', 'adapters'])

/**
 * Instruments the SDKs that the application can resolve from its entry file and its folder, or those in `modules`, and
 * resolves when what was found is recorded. A second call changes nothing and says the same.
 *
 * @throws TypeError for an unknown option name
 */
export async function instrument(recorder: InstrumentRecorder, options: InstrumentOptions = {}): Promise<Instrumentation> {
  const unknown = Object.keys(options).find((name) => !OPTIONS.has(name))
  if (unknown !== undefined) throw new TypeError(`unknown option ${JSON.stringify(unknown)}`)
  const adapters = options.adapters ?? ADAPTERS
  const patches = createPatches()
  const tools = toolsOf(recorder, options, patches)
  const coverage: Coverage[] = []
  const add = (adapter: Adapter, target: Target, found: Found) => {
    const covered = cover(adapter, target, found, tools(adapter))
    coverage.push(covered)
    return covered
  }
  const isAsLoaded = options.find === 'as_loaded' && !options.modules && hasLoadHooks()
  const stop = options.modules ? [] : [listen(adapters, (adapter, target, found) => void report(recorder, [add(adapter, target, found)]))]
  if (isAsLoaded) stop.push(addFooters(adapters.flatMap(({ targets }) => targets)))
  const begun = coverage.length
  for (const adapter of adapters)
    for (const target of adapter.targets)
      if (!isAsLoaded || !target.files || target.isGlobal)
        for (const found of await findTarget(target, options.modules)) add(adapter, target, found)
  await report(recorder, coverage.slice(begun))
  return {
    coverage,
    undo() {
      for (const end of stop) end()
      patches.undo()
    },
  }
}

/** What an adapter works with, made once for each. */
function toolsOf(recorder: InstrumentRecorder, deciding: Deciding, patches: Patches): (adapter: Adapter) => Tools {
  const made = new Map<string, Tools>()
  return ({ id }) => {
    const tools = made.get(id) ?? {
      guard: guardOf(recorder, id, deciding, true),
      fixed: guardOf(recorder, id, deciding),
      received: guardOf(recorder, receivedBy(id), deciding, true),
      observer: observerOf(recorder, id, deciding),
      recorder,
      patches,
    }
    made.set(id, tools)
    return tools
  }
}

/** Copies that come by themselves, each with the adapter that knows it. A file that imports what another declares is none. */
function listen(adapters: readonly Adapter[], take: (adapter: Adapter, target: Target, found: Found) => void): () => void {
  const seen = new WeakSet<object>()
  return onArrival((found) => {
    const declared = Object.values(found.module as object).filter((value) => typeof value === 'function') // onArrival says so
    if (declared.length > 0 && declared.every((value) => seen.has(value))) return
    for (const value of declared) seen.add(value)
    for (const adapter of adapters)
      for (const target of adapter.targets) if (target.pkg === found.pkg && target.files) take(adapter, target, found)
  })
}

function cover(adapter: Adapter, target: Target, found: Found, tools: Tools): Coverage {
  const { pkg, version, path, format } = found
  const patched = patchOne(adapter, found, tools)
  const known = version !== undefined && { version, tested: isTested(version, target) }
  const can_block = patched.length > 0 && adapter.canBlock(found)
  return { adapter: adapter.id, package: pkg, ...known, ...(path !== undefined && { path }), format, can_block, patched }
}

/** An adapter that throws against its contract has patched nothing that we know of. */
function patchOne(adapter: Adapter, found: Found, tools: Tools): readonly string[] {
  try {
    return adapter.patch(found, tools)
  } catch {
    return []
  }
}

async function findTarget(target: Target, modules: InstrumentOptions['modules']): Promise<readonly Found[]> {
  if (!modules && target.entries.length === 0) return [ofNode(target)]
  if (!modules) return findCopies(target, applicationBases())
  return Object.hasOwn(modules, target.pkg) ? [{ pkg: target.pkg, format: 'given', module: modules[target.pkg] }] : []
}

/** What Node itself has under that name. */
function ofNode({ pkg }: Target): Found {
  return { pkg, version: process.versions.node, format: 'global', module: undefined }
}

/** Whether the tests run with its major. */
export function isTested(version: string, { tested: [oldest, newest] }: Target): boolean {
  const major = Number.parseInt(version, 10)
  return major >= oldest && major <= newest
}

/** A report that cannot be recorded stops nobody: the first action will be refused, if it has to be. */
async function report(recorder: InstrumentRecorder, coverage: readonly Coverage[]): Promise<void> {
  const none = { package: 'none', can_block: false, patched: [] }
  const reports = (coverage.length > 0 ? coverage : [none]).map((metadata) => {
    const source = { kind: 'instrumentation', name: 'adapter' in metadata ? metadata.adapter : 'instrument', vantage: 'inline' }
    return recorder.record({ event_type: 'instrumentation_report', source, metadata })
  })
  await Promise.allSettled(reports)
}
