/**
 * Every way to change, remove or add one member of a JSON value, at every depth.
 * @module
 */

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

export interface Mutation {
  /** `change /arguments/deep/flag` */
  readonly what: string
  readonly value: Json
}

/** At least one for each member; none equals `value`. */
export function mutationsOf(value: Json, at = ''): Mutation[] {
  if (Array.isArray(value)) return ofArray(value, at)
  if (typeof value !== 'object' || value === null) return []
  const object = value as { readonly [name: string]: Json } // no array, not null
  const inner = Object.entries(object).flatMap(([name, member]) => {
    const here = `${at}/${name}`
    const within = mutationsOf(member, here).map((m) => ({ what: m.what, value: { ...object, [name]: m.value } }))
    return [
      { what: `change ${here}`, value: { ...object, [name]: other(member) } },
      { what: `remove ${here}`, value: Object.fromEntries(Object.entries(object).filter(([key]) => key !== name)) },
      ...within,
    ]
  })
  return [...inner, { what: `add ${at}/added`, value: { ...object, added: 1 } }]
}

function ofArray(list: readonly Json[], at: string): Mutation[] {
  const inner = list.flatMap((item, i) => [
    { what: `change ${at}/${i}`, value: list.with(i, other(item)) },
    { what: `remove ${at}/${i}`, value: list.toSpliced(i, 1) },
    ...mutationsOf(item, `${at}/${i}`).map((m) => ({ what: m.what, value: list.with(i, m.value) })),
  ])
  return [...inner, { what: `add ${at}/-`, value: [...list, 1] }]
}

/** Another value of the same type where there is one. */
function other(value: Json): Json {
  if (typeof value === 'string') return `${value}.`
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  return value === null ? 0 : null
}
