/** Reading values that came from an SDK or over the wire: nothing here throws. @module */

/** What stands below `value` along `path`; undefined where the way ends. */
export function memberOf(value: unknown, ...path: readonly (string | number)[]): unknown {
  try {
    let at = value
    for (const name of path) at = (at as Record<string, unknown> | null | undefined)?.[name] // a missing step ends it
    return at
  } catch {
    return undefined // a getter of the host threw
  }
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = memberOf(value, ...path)
  return typeof found === 'string' ? found : undefined
}

/** A count: not negative, finite. */
export function countAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = memberOf(value, ...path)
  return typeof found === 'number' && Number.isFinite(found) && found >= 0 ? found : undefined
}

export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = memberOf(value, ...path)
  return Array.isArray(found) ? found : []
}

/** The members that have a value. */
export function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const found: { [K in keyof T]?: Exclude<T[K], undefined> } = {}
  for (const name in members) if (members[name] !== undefined) found[name] = members[name] as Exclude<T[typeof name], undefined> // see before it
  return found
}
