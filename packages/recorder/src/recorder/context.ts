/**
 * Context: what every event carries without being told, and what follows a call across awaits.
 * Source: docs/format.md (spec events §4).
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createContextCheck } from '../event/shape.ts'
import type { EventContext } from '../event/types.ts'

export interface Contexts {
  /** Strongest first. */
  layers(own: object): readonly EventContext[]
  current(): Readonly<EventContext>
  /** Runs `fn` with `context` over the surrounding one; another correlation_id has the surrounding one as parent. */
  run<T>(context: EventContext, fn: () => T): T
}

/** @throws SwornError EVENT_INVALID when a member of `base` is wrong */
export function createContexts(base: EventContext): Contexts {
  const checkContext = createContextCheck()
  const checkedBase = checkContext(base)
  const storage = new AsyncLocalStorage<EventContext>()
  const around = () => storage.getStore() ?? {}
  return {
    layers(own) {
      const outer = storage.getStore()
      if (!outer) return [checkedBase]
      const parent = parentOf(own, outer)
      return parent ? [parent, outer, checkedBase] : [outer, checkedBase]
    },
    current: () => ({ ...checkedBase, ...around() }),
    run(context, fn) {
      const checked = checkContext(context)
      const outer = around()
      return storage.run({ ...outer, ...parentOf(checked, outer), ...checked }, fn)
    },
  }
}

/** The surrounding action caused this one when their correlation ids differ. */
function parentOf(own: object, outer: EventContext): EventContext | undefined {
  const id = (own as { correlation_id?: unknown }).correlation_id // any object: the member may be missing
  if (outer.correlation_id === undefined || id === undefined || id === outer.correlation_id) return undefined
  return { parent_id: outer.correlation_id }
}
