/** The table of programs: name → its line. @module */
import { CHANGING } from './changing.ts'
import { GIT } from './git.ts'
import { PACKAGES } from './packages.ts'
import type { Program } from './program.ts'
import { READING } from './reading.ts'
import { SHELL } from './shell.ts'

export const PROGRAMS: Readonly<Record<string, readonly Program[]>> = {
  'Reading and printing': READING,
  'Shells, interpreters, programs that run programs': SHELL,
  'Changing files, the system, the network': CHANGING,
  Git: GIT,
  'Packages, containers, clusters': PACKAGES,
}

const byName = indexPrograms(Object.values(PROGRAMS).flat())

export function findProgram(name: string): Program | undefined {
  return byName.get(name)
}

export function findSubcommand(program: Program, name: string): Program | undefined {
  return program.sub?.find(({ names }) => names.split(' ').includes(name))
}

/** Whether code that comes out of this program was fetched, decoded or put together. */
export function isFeed(name: string): boolean {
  return byName.get(name)?.feeds === true || name === 'rev'
}

function indexPrograms(programs: readonly Program[]): ReadonlyMap<string, Program> {
  return new Map(programs.flatMap((program) => program.names.split(' ').map((name) => [name, program] as const)))
}
