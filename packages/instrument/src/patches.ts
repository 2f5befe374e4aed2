/**
 * Methods replaced in place, once each, and given back.
 *
 * A replacement is marked by a symbol that all copies of this package share, so a second installation finds the first
 * and leaves it. Somebody who wrapped ours afterwards keeps their wrapper: undone, ours only passes calls on.
 * @module
 */
export type Method = (this: unknown, ...args: unknown[]) => unknown

export interface Patches {
  /** False from `undo` on. */
  readonly isActive: () => boolean
  /** Replaces `holder[name]`, by its setter where it has one, and returns whether it is replaced now, by us or by an earlier installation. Never throws. */
  method(holder: unknown, name: string, wrap: (original: Method) => Method): boolean
  /** The same of an object that the application made, which nobody keeps for it: given back, it only passes calls on. */
  instance(holder: unknown, name: string, wrap: (original: Method) => Method): boolean
  /** Takes what `take` takes until `undo`, which calls what it returns; nothing while an earlier installation has it. Never throws. */
  hold(name: string, take: () => () => void): boolean
  /** Adds `item` to the list of that name on `globalThis`, unless an earlier installation did. Never throws. */
  register(list: string, item: object): boolean
  undo(): void
}

const MARK = Symbol.for('sworn.instrument.method')

export function createPatches(): Patches {
  const undone: (() => void)[] = []
  let active = true
  const isActive = () => active
  return {
    isActive,
    method(holder, name, wrap) {
      try {
        const undo = replace(holder, name, wrap, isActive)
        if (undo) undone.push(undo)
        return true
      } catch {
        return false // frozen, or not what it looks like
      }
    },
    instance(holder, name, wrap) {
      try {
        replace(holder, name, wrap, isActive)
        return true
      } catch {
        return false // as above
      }
    },
    hold(name, take) {
      try {
        const undo = holdOnce(name, take)
        if (undo) undone.push(undo)
        return true
      } catch {
        return false // this Node has nothing of the kind
      }
    },
    register(list, item) {
      try {
        const undo = addTo(list, item)
        if (undo) undone.push(undo)
        return true
      } catch {
        return false // somebody's own value stands there
      }
    },
    undo() {
      active = false
      for (const undo of undone.splice(0).reverse()) undo()
    },
  }
}

const HELD = Symbol.for('sworn.instrument.held')

/** Undefined when it is held already. */
function holdOnce(name: string, take: () => () => void): (() => void) | undefined {
  const shared = globalThis as { [HELD]?: Set<string> } // all copies of this package have one
  const held = (shared[HELD] ??= new Set())
  if (held.has(name)) return undefined
  const release = take()
  held.add(name)
  return () => {
    held.delete(name)
    release()
  }
}

/** Undefined when it is there already. @throws TypeError when there is something else of that name */
function addTo(name: string, item: object): (() => void) | undefined {
  const holder = globalThis as unknown as Record<string, unknown> // whatever others put there
  const list = (holder[name] ??= [])
  if (!Array.isArray(list)) throw new TypeError(`${name} is no list`)
  if (list.some((one) => typeof one === 'object' && one !== null && MARK in one)) return undefined
  Object.defineProperty(item, MARK, { value: true })
  list.push(item)
  return () => {
    const at = list.indexOf(item)
    if (at >= 0) list.splice(at, 1)
  }
}

/** Undefined when it was replaced before. @throws TypeError when it is no method, or cannot be replaced */
function replace(holder: unknown, name: string, wrap: (original: Method) => Method, isActive: () => boolean): (() => void) | undefined {
  const object = holder as Record<string, unknown> // anything else throws below
  const original = object[name]
  if (typeof original !== 'function') throw new TypeError(`${name} is no method`)
  if ((original as { readonly [MARK]?: () => boolean })[MARK]?.()) return undefined // set below
  const before = Object.getOwnPropertyDescriptor(object, name)
  const method = original as Method // called as it was before
  const observed = wrap(method)
  const replacement: Method = function (...args) {
    return Reflect.apply(isActive() ? observed : method, this, args)
  }
  Object.defineProperties(replacement, { name: { value: original.name }, length: { value: original.length }, [MARK]: { value: isActive } })
  if (before?.set) object[name] = replacement
  else
    Object.defineProperty(object, name, { value: replacement, configurable: true, writable: true, enumerable: before?.enumerable ?? false })
  return () => {
    if (object[name] !== replacement) return
    if (before?.set) object[name] = original
    else if (before) Object.defineProperty(object, name, before)
    else delete object[name]
  }
}
