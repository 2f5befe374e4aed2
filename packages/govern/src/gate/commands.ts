/**
 * A call that runs a command, judged: by its syntax tree, and for what it would write of ours.
 *
 * The parser and its tables are loaded with the first such call.
 * @module
 */
import type { Judgement } from '../commands/judge.ts'
import { classifyPlace } from '../commands/places.ts'
import type { Platform } from '../paths/place.ts'
import type { WrittenPath } from '../paths/role-paths.ts'
import type { CommandPaths } from '../paths/self-guard.ts'
import type { CommandRules } from '../roles/types.ts'
import type { CommandCall } from './command-calls.ts'

export interface JudgedCommand {
  readonly call: CommandCall
  readonly judgement: Judgement
  /** A pattern of the role was found in the text. */
  readonly isBlocked: boolean
  /** Why, in words; the second may name a part of the command and is for the record only. */
  readonly why: readonly [told: string, recorded: string]
}

const MOVES_ALL = new Set('rm rmdir mv rename rsync find fd chmod chown chgrp chattr setfacl shred unlink trash'.split(' '))
const MOVES_READ = new Set(['mv', 'rename', 'find', 'fd'])
const ENTERS = new Set(['cd', 'pushd', 'env', 'git', 'make', 'tar', 'find'])
const MAX_BASES = 20
const MAX_READINGS = 10_000
/** `${NAME:-value}` and its like. */
const REPLACED = /\$\{\w+[^\w}]/

/** The parser and its tables. */
type Commands = typeof import('../commands/judge.ts')
export type LoadCommands = () => Promise<Commands>

/** Asks the loader once: it takes as long as judging a short command, each time. What could not be loaded is asked for again. */
export function createLoadCommands(): LoadCommands {
  let loaded: Promise<Commands> | undefined
  return () => {
    loaded ??= import('../commands/judge.ts').catch((e: unknown) => {
      loaded = undefined
      throw e
    })
    return loaded
  }
}

interface Judging {
  readonly commands: Commands
  readonly rules: CommandRules | undefined
  readonly disk: Platform
}

/** @throws RangeError when the time of the judgement is over */
export function judgeCommandCall(call: CommandCall, { commands: { judgeCommand, RULES }, rules, disk }: Judging): JudgedCommand {
  const judgement = judgeCommand(call.text, { allowed: rules?.allowed ?? [], blocked: rules?.blocked ?? [] })
  const isBlocked =
    rules?.blockedTexts.some((pattern) => {
      disk.checkTime?.()
      return pattern.find(call.text)
    }) ?? false
  const worst = judgement.reasons.find(({ verdict }) => verdict === judgement.verdict)
  const words = worst && !isBlocked ? RULES[worst.rule] : 'blocked for this role'
  const where = worst && !isBlocked ? ` (characters ${worst.start} to ${worst.end})` : ''
  return { call, judgement, isBlocked, why: [words + where, worst && !isBlocked ? `${words}: ${worst.part.slice(0, 80)}${where}` : words] }
}

/** Every path that the command names and that is a place: not a device without effect, not a program of the system. */
export function writtenPaths({ judgement }: JudgedCommand): WrittenPath[] {
  return judgement.paths
    .filter(({ path, access }) => classifyPlace(path) !== 'none' && !(access === 'execute' && /^\/(usr\/)?(local\/)?s?bin\//.test(path)))
    .map(({ path, start, end }) => ({ path, where: `characters ${start} to ${end} of the command` }))
}

/**
 * Folders that its relative paths may begin in, besides the working one.
 * @throws RangeError when they and the paths make more than 10,000 places
 */
export function basesOf({ call: { folders }, judgement: { programs, paths } }: JudgedCommand): string[] {
  const entered = programs.some((program) => ENTERS.has(program)) ? paths.slice(0, MAX_BASES).map(({ path }) => path) : []
  const count = folders.length + entered.length + folders.length * entered.length
  if (count * paths.length > MAX_READINGS) throw new RangeError('too many places to look at')
  return [...folders, ...entered, ...folders.flatMap((folder) => entered.map((path) => `${folder}/${path}`))]
}

/** Where the command writes, as far as it says; a value that another may replace as it stands. What a role allowed to the letter writes nowhere. */
export function toOpenTargets({ call: { text }, judgement: { verdict, paths } }: JudgedCommand): readonly string[] {
  if (verdict === 'safe') return []
  const written = paths.filter(({ access }) => access === 'write')
  return written.map(({ path, start, end }) => (REPLACED.test(text.slice(start, end)) ? text.slice(start, end) : path))
}

/** What the command may write, for self-protection. Nothing that is safe writes. */
export function toCommandPaths(command: JudgedCommand): CommandPaths {
  const { verdict, paths, programs, reasons } = command.judgement
  const uses = (names: ReadonlySet<string>) => programs.some((program) => names.has(program))
  const written = verdict === 'safe' ? [] : paths.filter(({ access }) => access !== 'read' || uses(MOVES_READ)).map(({ path }) => path)
  const clears = programs.includes('git') && reasons.some(({ rule }) => rule === 'deletes')
  return { paths: clears ? [...written, '.'] : written, bases: basesOf(command), takesAll: clears || uses(MOVES_ALL) }
}
