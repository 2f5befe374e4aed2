/**
 * A session as a tree: calls under the calls that caused them, subagents under their agents.
 *
 * One line an action: what was called, the decision, who approved, how it ended and how long it took. An allowed call
 * without an entry that says how it ended reads `outcome unknown`, never as done. What a hook and a proxy saw of one call is
 * one action.
 * @module
 */

import { createObservations } from '@sworn/analyze/actions'
import { describeEntry, durationText, type Entry, toText } from '@sworn/analyze/reading'
import { asText } from '@sworn/verify'
import { escapeText } from '../text/escape.ts'
import { fitText } from '../text/table.ts'
import { formatTime } from '../text/time.ts'

interface Node {
  readonly entries: Entry[]
  readonly children: Node[]
  /** Of an agent: its id. */
  readonly agent?: string
}

export interface TreeOptions {
  readonly width: number
  readonly utc: boolean
}

/** Deeper ones stand no further right. */
const MAX_INDENT = 3 * 32

interface Drawn {
  readonly node: Node
  readonly indent: string
  readonly mark: string
  readonly below: string
}

/** Lines of the tree, each at most `width` cells. Entries come in the order of the ledger. */
export function formatTree(entries: readonly Entry[], { width, utc }: TreeOptions): string[] {
  const lines: string[] = []
  const open: Drawn[] = buildTree(entries)
    .map((node) => ({ node, indent: '', mark: '', below: '' }))
    .toReversed()
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, indent, mark, below } = next
    const text = node.agent === undefined ? describeAction(node.entries, utc) : `agent ${node.agent}`
    lines.push(fitText(escapeText(`${indent}${mark}${text}`), width))
    const deeper = indent.length < MAX_INDENT ? indent + below : indent
    for (const [i, child] of node.children.toReversed().entries())
      open.push({ node: child, indent: deeper, mark: i === 0 ? '└─ ' : '├─ ', below: i === 0 ? '   ' : '│  ' })
  }
  return lines
}

function buildTree(entries: readonly Entry[]): Node[] {
  const actions = new Map<string, Node>()
  const agents = new Map<string, Node>()
  const roots: Node[] = []
  const placed = new Set<Node>()
  const observations = createObservations()
  const agentOf = (id: string): Node => {
    const node = agents.get(id) ?? { entries: [], children: [], agent: id }
    agents.set(id, node)
    return node
  }
  const place = (node: Node, under: Node | undefined): void => {
    if (placed.has(node)) return
    placed.add(node)
    if (under && !isAbove(node, under)) under.children.push(node)
    else roots.push(node)
  }
  for (const entry of entries) {
    const correlation = textOf(entry.correlation_id)
    const action = observations.observe(entry)?.action ?? correlation
    const known = action === undefined ? undefined : actions.get(action)
    if (known) known.entries.push(entry)
    const node: Node = known ?? { entries: [entry], children: [] }
    for (const id of [action, correlation]) if (id !== undefined) actions.set(id, node)
    const agent = textOf(entry.agent_id)
    const own = agent === undefined ? undefined : agentOf(agent)
    const parentAgent = textOf(parentAgentOf(entry))
    if (own) place(own, parentAgent === undefined ? undefined : agentOf(parentAgent))
    const parent = textOf(entry.parent_id)
    place(node, (parent === undefined ? undefined : actions.get(parent)) ?? own)
  }
  for (const agent of agents.values()) place(agent, undefined) // a parent that did nothing of its own
  return roots
}

/** True when `under` lies below `node`: what names itself as its parent is drawn once. */
function isAbove(node: Node, under: Node): boolean {
  const open = [node]
  for (let next = open.pop(); next; next = open.pop()) {
    if (next === under) return true
    open.push(...next.children)
  }
  return false
}

function parentAgentOf({ agent }: Entry): unknown {
  return typeof agent === 'object' && agent !== null && 'parent_agent_id' in agent ? agent.parent_agent_id : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

const ENDS = new Set(['tool_call_end', 'tool_call_error', 'model_response', 'model_error'])
const ASKED = new Set(['tool_call_start', 'model_request'])

function describeAction(entries: readonly Entry[], utc: boolean): string {
  const first = entries[0]!
  const decisions = entries.filter(({ event_type: type }) => type === 'authorization_decision')
  const decision = decisions.find(({ decision: said }) => said === 'deny') ?? decisions.at(-1) // who is asked first decides last
  const end = entries.find(({ event_type: type }) => ENDS.has(asText(type)))
  const begun = entries.some(({ event_type: type }) => ASKED.has(asText(type))) || toText(decision?.decision) === 'allow'
  const head = `${first.seq}  ${formatTime(first.timestamp, utc)}`
  if (!decision && !end && !begun)
    return [head, toText(first.event_type), toText(first.decision).toUpperCase(), describeEntry(first)].filter(Boolean).join('  ')
  const name = toText(first.tool) || toText(first.model) || toText(first.method)
  const parts = [head, name, toText(first.target), decisionOf(decision), approvalOf(decisions), outcomeOf(end, begun)]
  return parts.filter((part) => part !== '').join('  ')
}

function decisionOf(decision: Entry | undefined): string {
  return decision ? [toText(decision.decision).toUpperCase(), toText(decision.reason_code)].filter(Boolean).join(' ') : ''
}

function approvalOf(decisions: readonly Entry[]): string {
  const human = decisions.find(({ human_decision: said }) => said !== undefined)?.human_decision
  if (typeof human !== 'object' || human === null) return ''
  const { approved, approver } = human as Record<string, unknown> // an object: members may be anything
  return `${approved === true ? 'approved' : 'not approved'}${textOf(approver) === undefined ? '' : ` by ${textOf(approver)}`}`
}

function outcomeOf(end: Entry | undefined, begun: boolean): string {
  if (!end) return begun ? 'outcome unknown' : ''
  if (end.error_type === 'outcome_unknown') return 'outcome unknown'
  const failed = end.is_error === true || asText(end.event_type).endsWith('_error')
  const duration = durationText(end)
  return `${failed ? 'error' : 'ok'}${duration === undefined ? '' : ` in ${duration}`}`
}
