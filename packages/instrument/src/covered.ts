/**
 * Whether what happens here and now is recorded already, by an adapter that is nearer to the application.
 *
 * One for the process, whichever copy of this package asks: the layers of two copies are still the same calls.
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'

const KEY = Symbol.for('sworn.instrument.covered')
const shared = globalThis as { [KEY]?: AsyncLocalStorage<boolean> }

const storage = (shared[KEY] ??= new AsyncLocalStorage<boolean>())

export const isCovered = (): boolean => storage.getStore() === true

/** Runs `fn` so that no adapter below records it again. */
export const covered = <T>(fn: () => T): T => storage.run(true, fn)

/** Runs a tool: what models it calls by itself are other calls, also where a stream of a model's answer runs it. */
export const uncovered = <T>(fn: () => T): T => (isCovered() ? storage.run(false, fn) : fn())
