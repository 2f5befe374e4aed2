/**
 * One judgement under way: what was found so far, within its bounds.
 *
 * A bound that is reached is remembered apart from the reasons, so that nothing a role allows can take it back.
 * @module
 */
import { type CallHost, judgeCall, type RolePatterns } from './call.ts'
import { judgeSource } from './effects.ts'
import { type ParsedScript, parseShell, type SyntaxNode } from './parse.ts'
import { classifyPlace } from './places.ts'
import type { Rule } from './rules.ts'
import type { WalkHost } from './simple.ts'
import { isFeed } from './table/index.ts'
import type { Access, Arg, Judgement, Part, PathUse, Reason, Scene, Span, Verdict } from './types.ts'
import { findScripts, walkScript } from './walk.ts'

const MAX_DEPTH = 120
const MAX_TEXTS = 16
const MAX_STEPS = 4_000
const MAX_WORDS = 1_000
const MAX_REASONS = 100
const MAX_PATHS = 1_000
const MAX_PROGRAMS = 200
const MAX_PART = 200
const MAX_KNOWN = 1_000

const RANK: Readonly<Record<Verdict, number>> = { safe: 0, needs_review: 1, dangerous: 2 }

export interface Session {
  read(text: string, part: Part, scene: Scene): void
  /** The judgement of the whole text. */
  finish(whole: Part): Judgement
  /** The judgement when the text cannot be read to its end. */
  refuse(rule: Rule, whole: Part): Judgement
}

interface Notes {
  readonly reasons: Reason[]
  readonly paths: PathUse[]
  readonly met: string[]
  readonly known: Map<string, string>
  steps: number
  texts: number
  exceeded: boolean
}

type Host = WalkHost & CallHost

export function createSession(roles: RolePatterns): Session {
  const notes: Notes = { reasons: [], paths: [], met: [], known: new Map(), steps: 0, texts: 0, exceeded: false }
  const host = createHost(notes, roles)
  return {
    read: (text, part, scene) => readWhole(text, part, scene, host),
    finish: (whole) => {
      if (notes.steps === 0) host.add('needs_review', 'nothing_to_judge', whole)
      if (notes.exceeded) host.add('needs_review', 'too_large', whole)
      joinWriteAndRun(notes, host)
      return summarise(notes, whole)
    },
    refuse: (rule, whole) => {
      host.add('needs_review', rule, whole)
      return summarise(notes, whole)
    },
  }
}

function createHost(notes: Notes, roles: RolePatterns): Host {
  const { reasons, met, known } = notes
  const host: Host = {
    met,
    add: (verdict, rule, { start, end, text }) => void reasons.push({ verdict, rule, part: text.slice(0, MAX_PART), start, end }),
    path: (arg, access) => addPath(notes, arg, access),
    write: (arg) => addWrite(notes, arg, host),
    text: (arg, scene) => readText(notes, arg, scene, host),
    call: (words, scene) => {
      const inner = { ...scene, depth: scene.depth + 1 }
      if (words.length > MAX_WORDS) notes.exceeded = true
      if (host.step(inner)) judgeCall(words.slice(0, MAX_WORDS), inner, roles, host)
    },
    step: ({ depth }) => {
      const within = ++notes.steps <= MAX_STEPS && depth <= MAX_DEPTH
      if (!within) notes.exceeded = true
      return within
    },
    script: (script, scene, part) => readNested(script, scene, part, host),
    substitutions: (node, scene) => readSubstitutions(node, scene, host),
    ambiguous: (part) => host.add('needs_review', 'unparsed', part),
    evaluated: (part) => host.add('needs_review', 'evaluates', part),
    known: (name) => known.get(name),
    remember: (name, { value }) => void known.set(name, value.slice(0, MAX_KNOWN)),
    program: (name) => void met.push(name),
    mark: () => reasons.length,
    since: (mark) => worstOf(reasons.slice(mark)),
    forget: (mark) => void reasons.splice(mark),
  }
  return host
}

function readWhole(text: string, part: Part, scene: Scene, host: Host): void {
  if (/[\0\r]/.test(text) || !text.isWellFormed()) host.add('needs_review', 'unparsed', part)
  const script = parseShell(text)
  if (script) walkScript(script, scene, host)
  else host.add('needs_review', 'unparsed', part)
}

/** Text inside the text: a value that is not certain keeps it from being safe. */
function readText(notes: Notes, arg: Arg, scene: Scene, host: Host): void {
  if (++notes.texts > MAX_TEXTS) {
    notes.exceeded = true
    return
  }
  if (!arg.exact) judgeSource([...arg.runs, ...(scene.stdin?.from ?? [])], arg, host)
  readWhole(arg.value, arg, { ...scene, at: scene.at ?? { start: arg.start, end: arg.end } }, host)
}

/** A substitution. Positions inside escaped backticks are those of the text without the escapes, so of no use. */
function readNested(script: ParsedScript | undefined, scene: Scene, part: Part, host: Host): readonly string[] {
  const before = host.met.length
  const at = scene.at ?? (script?.source === undefined ? undefined : { start: part.start, end: part.end })
  if (script) walkScript(script, { ...scene, stdin: undefined, at }, host)
  else host.add('needs_review', 'unparsed', part)
  return host.met.slice(before)
}

function readSubstitutions(node: SyntaxNode, scene: Scene, host: Host): readonly string[] {
  const before = host.met.length
  findScripts(node, (script, { pos, end, text }) => readNested(script, scene, { ...(scene.at ?? { start: pos, end }), text }, host))
  return host.met.slice(before)
}

function addPath({ paths }: Notes, { value, start, end }: Arg, access: Access): void {
  if (value !== '' && value !== '-' && paths.length < MAX_PATHS) paths.push({ path: value, access, start, end })
}

function addWrite(notes: Notes, arg: Arg, host: Host): void {
  if (arg.value.startsWith('>(') && arg.runs.length > 0) return // what runs in it was judged
  const place = classifyPlace(arg.value)
  addPath(notes, arg, 'write')
  if (place === 'system') host.add('dangerous', 'writes_system', arg)
  else if (place === 'network') host.add('dangerous', 'remote_access', arg)
  else if (place === 'ordinary' || !arg.exact) host.add('needs_review', 'writes_file', arg)
}

/** A file that is written and run, with something that fetches or decodes in the same text. */
function joinWriteAndRun({ paths, met }: Notes, host: Host): void {
  if (!met.some(isFeed)) return
  const plain = (path: string) => path.replace(/^(\.\/)+/, '')
  const written = new Set(paths.filter(({ access }) => access === 'write').map(({ path }) => plain(path)))
  for (const { path, access, start, end } of paths) {
    if (access === 'execute' && written.has(plain(path))) host.add('dangerous', 'runs_fetched_code', { start, end, text: path })
  }
}

function worstOf(reasons: readonly Reason[]): Verdict {
  let worst: Verdict = 'safe'
  for (const { verdict } of reasons) if (RANK[verdict] > RANK[worst]) worst = verdict
  return worst
}

/** Each reason once; when there are too many, dangerous ones first. The parser may end a part behind the text: `${ \\`. */
function summarise({ reasons, paths, met }: Notes, whole: Part): Judgement {
  const once = [...new Map(reasons.map((reason) => [`${reason.rule} ${reason.start} ${reason.end} ${reason.part}`, reason])).values()]
  const kept = once.length <= MAX_REASONS ? once : once.toSorted((a, b) => RANK[b.verdict] - RANK[a.verdict]).slice(0, MAX_REASONS)
  const within = <T extends Span>(span: T): T => ({ ...span, start: Math.min(span.start, whole.end), end: Math.min(span.end, whole.end) })
  return {
    verdict: worstOf(reasons),
    reasons: kept.map(within),
    paths: paths.map(within),
    programs: [...new Set(met)].slice(0, MAX_PROGRAMS),
  }
}
