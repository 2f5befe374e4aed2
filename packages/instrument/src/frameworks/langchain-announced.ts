/**
 * What an instrumented class of LangChain records already, so that `langchainHandler` leaves it alone.
 *
 * One for the process, whichever copy of this package asks. Each announcement is taken once: what runs further inside
 * was not announced.
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'

type Kind = 'tool' | 'model'

const KEY = Symbol.for('sworn.instrument.langchain')
const shared = globalThis as { [KEY]?: AsyncLocalStorage<{ kind?: Kind }> }
const storage = (shared[KEY] ??= new AsyncLocalStorage<{ kind?: Kind }>())

/** Runs what it is given, in pieces if need be, as one call: the first start of that kind in it is recorded already. */
export function announcing(kind: Kind): <T>(fn: () => T) => T {
  const announced = { kind }
  return (fn) => storage.run(announced, fn)
}

/** Whether the start that is told now was announced. */
export function takeAnnounced(kind: Kind): boolean {
  const announced = storage.getStore()
  if (announced?.kind !== kind) return false
  delete announced.kind
  return true
}
