/**
 * Which variables of a script hold a value of a model, and where it is taken out of them.
 *
 * A variable holds one when it is assigned, looped over, read, or a parameter of a function that is called with it; what is
 * assigned from such a variable holds it too. Where a script reads at all, it may read any of them. Bounded by the script.
 * @module
 */
import { forEachChild, type SyntaxNode } from '@sworn/govern/shell'

/** A placeholder: its parameter, and where its mark stands. */
export interface Spot {
  readonly parameter: string
  readonly pos: number
  readonly end: number
}

/** Where a value comes out of a variable. */
export interface Flow {
  readonly parameter: string
  /** The nodes around the expansion, outermost first, it included. */
  readonly chain: readonly SyntaxNode[]
  readonly variable: string
  /** The value may stand at the beginning of what the variable holds. */
  readonly begins: boolean
}

interface Held {
  readonly parameter: string
  readonly begins: boolean
}

type Chain = readonly SyntaxNode[]

/** Over the script: each follows what is assigned forwards to its end, and one step backwards in a loop. */
const MAX_PASSES = 20
/** `$1`, `$@` and the others: what a function or `set` was given. */
const POSITIONAL = '@'
const READS: ReadonlySet<string> = new Set(['read', 'mapfile', 'readarray', 'getopts'])

/** Every place in which a variable with a value in it is expanded. */
export function flowsOf(script: SyntaxNode, spots: readonly Spot[]): readonly Flow[] {
  const chains = chainsOf(script, [])
  const nodes = chains.map((chain) => chain.at(-1)!)
  const functions = new Set(nodes.flatMap((node) => (node.type === 'Function' ? [node.name.text] : [])))
  const held = new Map<string, Held>()
  for (let pass = 0, known = -1; known !== held.size && pass < MAX_PASSES; pass++) {
    known = held.size
    for (const node of nodes) for (const [name, value] of heldBy(node)) held.set(name, held.get(name)?.begins ? held.get(name)! : value)
  }
  return chains.flatMap((chain) => {
    const variable = variableOf(chain.at(-1)!)
    const value = variable === undefined ? undefined : held.get(nameOf(variable))
    return variable !== undefined && value ? [{ ...value, chain, variable }] : []
  })

  function heldBy(node: SyntaxNode): readonly (readonly [string, Held])[] {
    if (node.type === 'Assignment' && node.name !== undefined) return paired(node.name, valueIn(node, node.text.indexOf('=') + 1))
    if (node.type === 'For') return (node.wordlist ?? []).flatMap((word) => paired(node.name.text, valueIn(word)))
    if (node.type !== 'Command') return []
    const [name, args] = [node.name?.text ?? '', node.args]
    if (name === 'set' || functions.has(name)) return args.flatMap((word) => paired(POSITIONAL, valueIn(word)))
    if (!READS.has(name) || spots.length === 0) return []
    return args.flatMap(({ text }) => (/^[A-Za-z_]\w*$/.test(text) ? paired(text, { parameter: spots[0]!.parameter, begins: true }) : []))
  }

  /** @param skip characters before the value in the node */
  function valueIn(node: SyntaxNode & { readonly text?: string }, skip = 0): Held | undefined {
    const from = node.pos + skip
    const direct = spots.filter(({ pos, end }) => node.pos <= pos && end <= node.end).map(({ parameter, pos }) => ({ parameter, pos }))
    const through = chainsOf(node, []).flatMap((chain) => {
      const inner = chain.at(-1)!
      const variable = variableOf(inner)
      const value = variable === undefined ? undefined : held.get(nameOf(variable))
      return value ? [{ parameter: value.parameter, pos: inner.pos }] : []
    })
    const [first] = [...direct, ...through].toSorted((a, b) => a.pos - b.pos)
    if (!first) return undefined
    const before = node.text?.slice(skip, first.pos - from + skip) ?? ''
    return { parameter: first.parameter, begins: /^["']*$/.test(before) }
  }
}

const paired = (name: string, value: Held | undefined): readonly (readonly [string, Held])[] => (value ? [[name, value]] : [])

const nameOf = (variable: string) => (/^[0-9@*]/.test(variable) ? POSITIONAL : variable)

function variableOf(node: SyntaxNode): string | undefined {
  if (node.type === 'SimpleExpansion') return node.text.slice(1)
  if (node.type === 'ArithmeticWord') return /^\$?\{?([A-Za-z_]\w*|[0-9@*])\}?$/.exec(node.value)?.[1]
  return node.type === 'ParameterExpansion' ? node.parameter : undefined
}

/** Every node below, with those around it. */
function chainsOf(node: SyntaxNode, around: Chain): readonly Chain[] {
  const chain = [...around, node]
  const all: Chain[] = [chain]
  forEachChild(node, (child) => void all.push(...chainsOf(child, chain)))
  return all
}
