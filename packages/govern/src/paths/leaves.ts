/**
 * Every text in a JSON value, with where it stands. Iterative: depth is no bound; cycles end.
 * @module
 */

export interface Leaf {
  readonly text: string
  /** The member name or list position above the text; for a key the key itself. */
  readonly key: string
  readonly isKey: boolean
  /** JSON Pointer, at most 200 characters. */
  pointer(): string
}

interface Place {
  readonly above?: Place
  readonly step: string
}

const MAX_POINTER = 200

/** Hostile input. String leaves and member names in no promised order. */
export function* findLeaves(root: unknown): Generator<Leaf> {
  const seen = new Set<object>()
  const open: [value: unknown, place: Place][] = [[root, { step: '' }]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [value, place] = next
    if (typeof value === 'string') yield leafAt(value, place, false)
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    const isList = Array.isArray(value)
    for (const [step, member] of Object.entries(value)) {
      const below = { above: place, step }
      if (!isList) yield leafAt(step, below, true)
      open.push([member, below])
    }
  }
}

function leafAt(text: string, place: Place, isKey: boolean): Leaf {
  return { text, key: place.step, isKey, pointer: () => pointerTo(place) }
}

function pointerTo(place: Place): string {
  const steps: string[] = []
  for (let at: Place | undefined = place; at?.above; at = at.above) steps.push(at.step)
  const pointer = steps.toReversed().map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`)
  return pointer.join('').slice(0, MAX_POINTER)
}
