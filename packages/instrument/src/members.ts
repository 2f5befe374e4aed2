/** Reading values that came from an SDK or over the wire: nothing here throws. @module */

/** What stands below `value` along `path`; undefined where the way ends. */
export function memberOf(value: unknown, ...path: readonly (string | number)[]): unknown {
  try {
    return path.reduce<unknown>((at, name) => (at as Record<string, unknown> | null | undefined)?.[name], value) // a missing step ends it
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
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as ReturnType<typeof present<T>> // the same keys
}
