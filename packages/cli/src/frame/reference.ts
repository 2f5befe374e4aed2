/**
 * docs/reference/cli.md, from the data that parses the arguments and prints the help.
 *
 * Promise: every command and every flag of the table stands in it; a test fails when the page is stale.
 * @module
 */
import { COMMON_FLAGS, type Command, type CommandEntry, type Flag, type Flags } from './command.ts'

const HEAD = `# Command line

*Reference;* generated from the command table by \`npm run docs\`.

Exit codes everywhere: 0 holds or done, 1 does not hold (a finding, a denial, no match with \`--fail-empty\`), 2 usage or configuration, 3 could not look. An error is \`error: …\` then \`hint: …\` on stderr. stdout belongs to data; messages are one line \`sworn: …\` on stderr. PATH is a ledger directory or a \`.jsonl\` file; default \`./audit\`.

| environment | means |
|---|---|
| \`SWORN_HOME\` | where configuration, state and keys live, instead of the platform's own directories |
| \`SWORN_CONFIG\` | another file than \`./sworn.yaml\` |
| \`SWORN_LEDGER\` | the ledger |
| \`SWORN_POLICY\` | the AgentPolicy |
| \`SWORN_ROLES\` | the file of users, roles and budgets |
| \`SWORN_RECORDER\` | the ledger (or its \`log.sock\`) whose recorder process takes the events; where none answers one is started. \`off\`: none is started |
| \`SWORN_USER\` | who is acting |
| \`SWORN_LOG\` | what is said on stderr: \`error\`, \`warn\`, \`info\` (default) or \`debug\`; \`-q\` is \`error\`, \`-v\` is \`debug\` |
| \`NO_COLOR\`, \`TERM=dumb\` | no colour |
`

/** The page, whole. Loads every command. */
export async function formatReference(table: readonly CommandEntry[]): Promise<string> {
  const shown = table.filter((entry) => !entry.hidden)
  const sections = await Promise.all(shown.map(async (entry) => formatCommand(entry, await entry.load())))
  return [HEAD, ...sections, formatCommon()].join('\n')
}

function formatCommand(entry: CommandEntry, command: Command): string {
  const aliases = entry.aliases?.map((name) => `\`sworn ${name}\` means the same. `).join('') ?? ''
  const notes = command.notes?.flatMap((note) => ['', note]) ?? []
  const flags = Object.keys(command.flags).length === 0 ? [] : ['', ...formatFlags(command.flags)]
  const usage = `sworn ${entry.name} [FLAGS] ${command.args}`.trimEnd()
  return [
    `## sworn ${entry.name}`,
    '',
    `${upperFirst(entry.about)}. ${aliases}`.trimEnd(),
    '',
    `\`${usage}\``,
    ...flags,
    ...notes,
    '',
    '```sh',
    command.example,
    '```',
    '',
  ].join('\n')
}

function formatCommon(): string {
  return ['## Flags of every command', '', ...formatFlags(COMMON_FLAGS), ''].join('\n')
}

function formatFlags(flags: Flags): string[] {
  return ['| flag | means |', '|---|---|', ...Object.entries(flags).map(([name, flag]) => `| ${nameOf(name, flag)} | ${aboutOf(flag)} |`)]
}

function nameOf(name: string, flag: Flag): string {
  const value = flag.type === 'string' ? ` ${flag.value ?? 'VALUE'}` : ''
  return `${flag.short ? `\`-${flag.short}\`, ` : ''}\`--${name}${value}\``
}

function aboutOf(flag: Flag): string {
  const choices = flag.choices ? ` (${flag.choices.map((choice) => `\`${choice}\``).join(', ')})` : ''
  return `${flag.about}${choices}${flag.multiple ? '; may be repeated' : ''}`.replaceAll('|', '\\|')
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
