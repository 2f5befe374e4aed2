/**
 * Puts hooks of ours into a client's configuration and takes them out again, by text.
 *
 * Everything else stays as it is: other hooks, comments, order, spacing. An entry of ours is known by its command, which
 * says `hook CLIENT EVENT --installed`. Taking out removes what held nothing but our entry, and no more.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { type JsonNode, parseJsonc } from '../clients/jsonc.ts'
import { markOf } from './mark.ts'

export interface WantedHook {
  readonly event: string
  readonly entry: Readonly<Record<string, unknown>>
}

export interface Edited {
  readonly text: string
  /** Events whose list was changed. */
  readonly changed: readonly string[]
}

/**
 * @param text JSON with comments; empty for a new file
 * @throws SwornError CONFIG_INVALID when it is no object with lists of hooks
 */
export function addHooks(text: string, file: string, client: string, hooks: readonly WantedHook[]): Edited {
  const changed: string[] = []
  let next = text
  for (const { event, entry } of hooks) {
    const { list } = hooksOf(next, file, event)
    const ours = list?.items?.filter((item) => holds(item, markOf(client, event))) ?? []
    if (ours.length === 1 && JSON.stringify(ours[0]!.value) === JSON.stringify(entry)) continue
    const cleared = ours.length === 0 ? next : takeOut(next, file, markOf(client, event))
    next = insertHook(cleared, file, event, entry)
    changed.push(event)
  }
  return { text: next, changed }
}

/** @throws SwornError CONFIG_INVALID as `addHooks` */
export function removeHooks(text: string, file: string, client: string, events: readonly string[]): Edited {
  const changed = events.filter((event) => findHook(text, file, markOf(client, event)))
  const next = changed.reduce((left, event) => takeOut(left, file, markOf(client, event)), text)
  return { text: next, changed }
}

/** Of `events` those that run a hook of ours. @throws SwornError CONFIG_INVALID */
export function findHooks(text: string, file: string, client: string, events: readonly string[]): readonly string[] {
  return events.filter((event) => findHook(text, file, markOf(client, event)) !== undefined)
}

interface Hooks {
  readonly root: JsonNode
  readonly hooks: JsonNode | undefined
  readonly list: JsonNode | undefined
}

function hooksOf(text: string, file: string, event: string): Hooks {
  const root = parseJsonc(text, file)
  if (!root.members) throw new SwornError('CONFIG_INVALID', 'an object was expected', file)
  const hooks = root.members.get('hooks')
  if (hooks && !hooks.members) throw new SwornError('CONFIG_INVALID', 'an object hooks was expected', file)
  const list = hooks?.members?.get(event)
  if (list && !list.items) throw new SwornError('CONFIG_INVALID', `a list hooks.${event} was expected`, file)
  return { root, hooks, list }
}

function insertHook(text: string, file: string, event: string, entry: WantedHook['entry']): string {
  const { root, hooks, list } = hooksOf(text, file, event)
  const step = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  '
  if (list) return insert(text, list, format(entry, step, 3), step, 2)
  if (hooks) return insert(text, hooks, `${JSON.stringify(event)}: ${format([entry], step, 2)}`, step, 1)
  return insert(text, root, `"hooks": ${format({ [event]: [entry] }, step, 1)}`, step, 0)
}

/** Behind the last child, or as the only one. @param depth of the container */
function insert(text: string, container: JsonNode, child: string, step: string, depth: number): string {
  const last = childrenOf(container).at(-1)
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  const line = `${end}${step.repeat(depth + 1)}${child.replaceAll('\n', end)}`
  if (last) return `${text.slice(0, last.end)},${line}${text.slice(last.end)}`
  const at = container.start + 1
  const rest = text.slice(at, container.end - 1).trim() === '' ? text.slice(container.end - 1) : text.slice(at)
  return `${text.slice(0, at)}${line}${end}${step.repeat(depth)}${rest}`
}

function format(value: unknown, step: string, depth: number): string {
  return JSON.stringify(value, null, step).replaceAll('\n', `\n${step.repeat(depth)}`)
}

function takeOut(text: string, file: string, mark: string): string {
  let next = text
  for (let trail = findHook(next, file, mark); trail; trail = findHook(next, file, mark)) {
    const at = outermost(trail)
    next = cut(next, trail[at - 1]!, trail[at]!)
  }
  return next
}

/** Containers from the root to the hook itself; undefined when none holds `mark`. */
function findHook(text: string, file: string, mark: string): readonly JsonNode[] | undefined {
  const { root, hooks } = hooksOf(text, file, '')
  const below = hooks && trailTo(hooks, mark)
  return below && [root, ...below]
}

function trailTo(node: JsonNode, mark: string): readonly JsonNode[] | undefined {
  if (node.members && [...node.members.values()].some(({ value }) => typeof value === 'string' && value.includes(mark))) return [node]
  for (const child of childrenOf(node)) {
    const below = trailTo(child, mark)
    if (below) return [node, ...below]
  }
  return undefined
}

/** The place in the trail of what holds nothing but the hook; a group goes with its last hook. */
function outermost(trail: readonly JsonNode[]): number {
  let at = trail.length - 1
  while (at > 1) {
    const parent = trail[at - 1]!
    const isGroup = parent.members !== undefined && trail[at - 2]?.items !== undefined
    if (!isGroup && childrenOf(parent).length > 1) break
    at--
  }
  return at
}

function cut(text: string, parent: JsonNode, child: JsonNode): string {
  const children = childrenOf(parent)
  const at = children.findIndex(({ start }) => start === child.start)
  const [before, after] = [children[at - 1], children[at + 1]]
  if (after) return text.slice(0, children[at]!.from) + text.slice(after.from)
  if (before) return text.slice(0, before.end) + text.slice(child.end)
  return text.slice(0, children[at]!.from) + text.slice(child.end).replace(/^\s*,/, '')
}

function holds(node: JsonNode, mark: string): boolean {
  return trailTo(node, mark) !== undefined
}

function childrenOf({ members, items }: JsonNode): readonly JsonNode[] {
  return members ? [...members.values()] : (items ?? [])
}
