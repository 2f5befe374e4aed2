/** docs/reference/commands.md: how shell commands are judged, with the table of programs as it is. @module */
import { RULES } from '../packages/govern/src/commands/rules.ts'
import { PROGRAMS } from '../packages/govern/src/commands/table/index.ts'
import type { Program } from '../packages/govern/src/commands/table/program.ts'

const INTRODUCTION = `# How shell commands are judged

Reference; the tables are generated from \`packages/govern/src/commands\` by \`npm run docs\`.

\`judgeCommand(text, options)\` of \`@sworn/govern/commands\` reads a command as a shell would, without running it or looking anything up, and gives a verdict, the reasons with their place in the text, the paths and the programs.

\`\`\`ts
import { judgeCommand } from '@sworn/govern/commands'

const { verdict, reasons } = judgeCommand('ls; env bash -c "rm -rf build"', { allowed: ['terraform plan **'], blocked: ['git push **'] })
console.log(verdict, reasons[0]?.rule, reasons[0]?.start, reasons[0]?.end) // dangerous deletes 16 30
\`\`\`

| verdict | means |
|---|---|
| \`safe\` | reads and prints; changes nothing, sends nothing, and runs nothing that is not safe itself |
| \`needs_review\` | changes something that can be undone, talks to the network, runs code that is not shown, or could not be read to its end |
| \`dangerous\` | destroys, escalates, persists, opens a way in or out, runs fetched or hidden code, or removes a record |

- The whole is as bad as its worst part. Every branch, substitution, function body, here-document and redirection counts, whichever of them would run.
- What is not listed is not safe: a program without a line, an option or subcommand that is not named, a name that is known only when the command runs, text that does not parse, text beyond the bounds (32,768 characters, 4,000 parts, 120 levels, 16 texts inside the text).
- Shell text inside the text (\`bash -c\`, \`eval\`, here-documents, \`trap\`, \`system()\` of awk, \`!\` aliases of git) is judged again. Other languages are not read, so they need review.
- Where bash, dash and zsh read the same text differently, it needs review.
- Paths are reported, not judged: \`cat ~/.ssh/config\` is a matter for path rules. Only writes are: to devices, to system folders, and to files that a shell, a scheduler, ssh, git or an agent obeys.
- A role may add patterns. A pattern is words separated by spaces; \`*\` in a word stands for any characters, a last word \`**\` for any further arguments. \`blocked\` wins over \`allowed\`; \`allowed\` lifts \`needs_review\`, and \`dangerous\` only when it is spelled out without a wildcard.
- Not seen: what a program, a configuration file or a shell function defined earlier does on its own (\`.gitconfig\`, \`.npmrc\`, an alias of an interactive shell), and what stands in a script that is run.

The labelled corpus is \`vectors/commands\`; \`packages/govern/test/commands.test.ts\` prints the confusion matrix.
`

export function commandsPage(): string {
  const rules = Object.entries(RULES).map(([rule, text]) => `| \`${rule}\` | ${text} |`)
  const tables = Object.entries(PROGRAMS).flatMap(([title, programs]) => [
    `\n## ${title}\n`,
    '| programs | verdict | why | harmless options | made worse by |',
    '|---|---|---|---|---|',
    ...programs.flatMap((program) => rowsOf(program, '')),
  ])
  return [INTRODUCTION, '## Reasons\n', '| rule | the part |', '|---|---|', ...rules, ...tables, ''].join('\n')
}

function rowsOf(program: Program, parent: string): string[] {
  const { names, is, named, rule, options, sub, reader, wraps, raise, words, tells } = program
  const verdict = named && named !== is ? `${is}; with operands ${named}` : is
  const listed = reader ? 'a syntax of its own' : options === undefined ? '' : options.includes('*') ? 'all' : code(options)
  const harmless = tells === undefined ? listed : `${listed} alone: ${code(tells)}`.trim()
  const worse = [
    ...Object.entries(raise ?? {})
      .filter(([, effect]) => effect !== 'safe' && effect !== 'stops')
      .map(([option, effect]) => `${code(option)} ${effect}`),
    ...(words ?? []).map(([pattern, effect]) => `${code(pattern.source)} ${effect}`),
    ...(wraps === undefined ? [] : ['the program it runs']),
  ]
  const cells = [code(`${parent}${names}`), verdict, rule ?? '', harmless, worse.join(', ')]
  const first = names.split(' ')[0]!
  return [`| ${cells.join(' | ')} |`, ...(sub ?? []).flatMap((part) => rowsOf(part, `${parent}${first} … `))]
}

function code(text: string): string {
  return `\`${text.trim().replaceAll('|', '\\|')}\``
}
