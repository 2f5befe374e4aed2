/**
 * The walk over a syntax tree: every command, substitution, redirection and assignment in it, in every branch.
 *
 * Nothing is assumed about which branch runs, so the order of commands and their exit codes do not matter.
 * A node of a kind that is not named here needs review.
 * @module
 */
import { judgeName } from './assign.ts'
import { type CommandNode, forEachChild, type ParsedScript, type Statement, type SyntaxNode, type Word } from './parse.ts'
import { readRedirects } from './redirects.ts'
import { findPrinted, partOf, type WalkHost, walkCommand } from './simple.ts'
import { findProgram } from './table/index.ts'
import type { Arg, Scene } from './types.ts'
import { isPlainArithmetic, readWord } from './words.ts'

export function walkScript(script: ParsedScript, scene: Scene, host: WalkHost): void {
  for (const { pos } of script.errors ?? []) host.add('needs_review', 'unparsed', partOf({ pos, end: pos, text: '' }, scene))
  walkAll(script.commands, scene, host)
}

function walkAll(nodes: readonly SyntaxNode[], scene: Scene, host: WalkHost): void {
  for (const node of nodes) walkNode(node, scene, host)
}

function walkNode(node: SyntaxNode, outer: Scene, host: WalkHost): void {
  const scene = { ...outer, depth: outer.depth + 1 }
  if (!host.step(scene)) return
  switch (node.type) {
    case 'Statement':
      walkNode(node.command, scene, host)
      break
    case 'AndOr':
    case 'CompoundList':
      walkAll(node.commands, scene, host)
      break
    case 'Command':
      walkCommand(node, scene, host)
      break
    case 'Pipeline':
      walkPipeline(node.commands, scene, host)
      break
    case 'Redirected':
      walkNode(node.command, { ...scene, stdin: readRedirects(node.redirects, scene, host) ?? scene.stdin }, host)
      break
    case 'Coproc':
      if (node.name) judgeName(node.name.value, partOf(node.name, scene), scene, host)
      walkNode(node.body, scene, host)
      break
    case 'Subshell':
    case 'BraceGroup':
      walkNode(node.body, scene, host)
      break
    case 'Function':
      walkFunction(node, scene, host)
      break
    default:
      walkBranches(node, scene, host)
  }
}

function walkBranches(node: SyntaxNode, scene: Scene, host: WalkHost): void {
  switch (node.type) {
    case 'If':
      for (const list of [node.clause, node.then, ...node.elif.flatMap((elif) => [elif.clause, elif.then]), node.else]) {
        if (list) walkNode(list, scene, host)
      }
      break
    case 'While':
      walkAll([node.clause, node.body], scene, host)
      break
    case 'For':
    case 'Select':
      walkLoop(node.name, node.wordlist ?? [], scene, host)
      walkNode(node.body, scene, host)
      break
    case 'Case':
      readWord(node.word, scene, host)
      for (const item of node.items) {
        for (const pattern of item.pattern) readWord(pattern, scene, host)
        walkNode(item.body, scene, host)
      }
      break
    case 'TestCommand':
      walkTest(node, scene, host)
      break
    case 'ArithmeticCommand':
      if (!isPlainArithmetic(node.body)) host.evaluated(partOf({ ...node, text: node.body }, scene))
      host.substitutions(node, scene)
      break
    case 'ArithmeticFor':
      host.evaluated(partOf(node, scene))
      host.substitutions(node, scene)
      walkNode(node.body, scene, host)
      break
    default:
      host.add('needs_review', 'unparsed', partOf({ pos: node.pos, end: node.end }, scene))
  }
}

function walkPipeline(commands: readonly CommandNode[], scene: Scene, host: WalkHost): void {
  const before = host.met.length
  let text: Arg | undefined
  for (const [i, command] of commands.entries()) {
    const stdin = i === 0 ? scene.stdin : { from: [...(scene.stdin?.from ?? []), ...host.met.slice(before)], text }
    walkNode(command, { ...scene, stdin }, host)
    text = i === 0 && command.type === 'Command' ? findPrinted(command, scene, host) : undefined
  }
}

function walkLoop(name: Word, words: readonly Word[], scene: Scene, host: WalkHost): void {
  const values = words.flatMap((word) => readWord(word, scene, host))
  judgeName(name.value, partOf(name, scene), scene, host)
  if (values.length === 1) host.remember(name.value, values[0]!)
}

function walkFunction(node: Extract<SyntaxNode, { type: 'Function' }>, scene: Scene, host: WalkHost): void {
  const before = host.met.length
  walkNode(node.body, { ...scene, stdin: undefined }, host)
  if (findProgram(node.name.value)) host.add('needs_review', 'changes_meaning', partOf(node.name, scene))
  if (host.met.slice(before).includes(node.name.value)) host.add('dangerous', 'fork_bomb', partOf(node.name, scene))
}

/** `-eq` and its like evaluate their operands; other shells read `[[ a || b ]]` as two commands. */
function walkTest(node: Extract<SyntaxNode, { type: 'TestCommand' }>, scene: Scene, host: WalkHost): void {
  const visit = (part: SyntaxNode): void => {
    if (part.type === 'TestBinary' && /^-(eq|ne|lt|le|gt|ge)$/.test(part.operator)) {
      for (const word of [part.left, part.right]) {
        if (!/^("?\$[#?$!]"?|"?\$\{#\w+\}"?|-?\d+)$/.test(word.text)) host.evaluated(partOf(word, scene))
      }
    }
    if (part.type === 'TestUnary' && /^-[vR]$/.test(part.operator)) host.evaluated(partOf(part.operand, scene))
    if (part.type === 'TestLogical' && part.operator === '||') host.ambiguous(partOf(node, scene))
    if (part.type === 'Word') readWord(part, scene, host)
    else forEachChild(part, visit)
  }
  visit(node.expression)
}

/** Every substitution below an expression, with its script. */
export function findScripts(
  node: SyntaxNode,
  visit: (script: ParsedScript | undefined, part: SyntaxNode & { text: string }) => void,
): void {
  forEachChild(node, (child) => {
    if (child.type === 'CommandExpansion' || child.type === 'ProcessSubstitution' || child.type === 'ArithmeticCommandExpansion')
      visit(child.script, child)
    else if (!isStatement(child)) findScripts(child, visit)
  })
}

/** The body of a loop is walked by itself. */
function isStatement(node: SyntaxNode): node is Statement {
  return node.type === 'CompoundList'
}
