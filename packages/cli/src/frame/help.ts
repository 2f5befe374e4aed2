/**
 * Help texts, printed from the command data, broken between words where a terminal is narrow.
 * @module
 */
import { breakLine } from '../text/break.ts'
import { COMMON_FLAGS, type Command, type CommandEntry, type Flag, type Flags } from './command.ts'

/** `sworn --help`: every command with one line, from the table alone. */
export function formatOverview(all: readonly CommandEntry[], columns: number): string {
  const table = all.filter((entry) => !entry.hidden)
  const width = Math.max(...table.map((entry) => entry.name.length)) + 2
  return [
    'sworn: the flight recorder for AI agents',
    '',
    'usage: sworn COMMAND [ARGUMENTS]',
    '',
    ...table.map((entry) => breakLine(`  ${entry.name.padEnd(width)}${entry.about}`, columns, width + 2)),
    '',
    ...[
      'PATH is a ledger directory or a .jsonl file; default ./audit.',
      'Exit codes: 0 holds or done, 1 does not hold, 2 usage or configuration, 3 could not look.',
      '`sworn COMMAND --help` shows flags and an example; `sworn --version` the versions.',
    ].map((line) => breakLine(line, columns)),
  ].join('\n')
}

/** `sworn NAME --help`. @param columns cells a line may take */
export function formatHelp(entry: CommandEntry, command: Command, columns: number): string {
  const aliases = entry.aliases?.length ? ['', `also: sworn ${entry.aliases.join(', sworn ')}`] : []
  const notes = command.notes?.flatMap((note) => ['', breakLine(note, columns)]) ?? []
  return [
    breakLine(`sworn ${entry.name}: ${entry.about}`, columns),
    '',
    `usage: sworn ${entry.name} [FLAGS] ${command.args}`.trimEnd(),
    ...aliases,
    '',
    ...formatFlags({ ...command.flags, ...COMMON_FLAGS }, columns),
    ...notes,
    '',
    `example: ${command.example}`,
  ].join('\n')
}

function formatFlags(flags: Flags, columns: number): string[] {
  const rows = Object.entries(flags).map(([name, flag]) => [formatFlag(name, flag), formatAbout(flag)] as const)
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return rows.map(([left, right]) => breakLine(`  ${left.padEnd(width)}${right}`, columns, width + 2))
}

function formatFlag(name: string, flag: Flag): string {
  const value = flag.type === 'string' ? ` ${flag.value ?? 'VALUE'}` : ''
  return `${flag.short ? `-${flag.short}, ` : '    '}--${name}${value}`
}

function formatAbout(flag: Flag): string {
  const choices = flag.choices ? ` (${flag.choices.join(', ')})` : ''
  return `${flag.about}${choices}${flag.multiple ? '; may be repeated' : ''}`
}
