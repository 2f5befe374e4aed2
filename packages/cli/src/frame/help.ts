/**
 * Help texts, printed from the command data.
 * @module
 */
import { COMMON_FLAGS, type Command, type CommandEntry, type Flag, type Flags } from './command.ts'

/** `sworn --help`: every command with one line, from the table alone. */
export function formatOverview(all: readonly CommandEntry[]): string {
  const table = all.filter((entry) => !entry.hidden)
  const width = Math.max(...table.map((entry) => entry.name.length)) + 2
  return [
    'sworn: the flight recorder for AI agents',
    '',
    'usage: sworn COMMAND [ARGUMENTS]',
    '',
    ...table.map((entry) => `  ${entry.name.padEnd(width)}${entry.about}`),
    '',
    'PATH is a ledger directory or a .jsonl file; default ./audit.',
    'Exit codes: 0 holds or done, 1 does not hold, 2 usage or configuration, 3 could not look.',
    '`sworn COMMAND --help` shows flags and an example; `sworn --version` the versions.',
  ].join('\n')
}

/** `sworn NAME --help`. */
export function formatHelp(entry: CommandEntry, command: Command): string {
  const aliases = entry.aliases?.length ? ['', `also: sworn ${entry.aliases.join(', sworn ')}`] : []
  const notes = command.notes?.flatMap((note) => ['', note]) ?? []
  return [
    `sworn ${entry.name}: ${entry.about}`,
    '',
    `usage: sworn ${entry.name} [FLAGS] ${command.args}`.trimEnd(),
    ...aliases,
    '',
    ...formatFlags({ ...command.flags, ...COMMON_FLAGS }),
    ...notes,
    '',
    `example: ${command.example}`,
  ].join('\n')
}

function formatFlags(flags: Flags): string[] {
  const rows = Object.entries(flags).map(([name, flag]) => [formatFlag(name, flag), formatAbout(flag)] as const)
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`)
}

function formatFlag(name: string, flag: Flag): string {
  const value = flag.type === 'string' ? ` ${flag.value ?? 'VALUE'}` : ''
  return `${flag.short ? `-${flag.short}, ` : '    '}--${name}${value}`
}

function formatAbout(flag: Flag): string {
  const choices = flag.choices ? ` (${flag.choices.join(', ')})` : ''
  return `${flag.about}${choices}${flag.multiple ? '; may be repeated' : ''}`
}
