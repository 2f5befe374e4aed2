/** docs/reference/hooks.md: what each coding agent shows and obeys, from its table and from the hooks that the tests replay. @module */
import { readFileSync } from 'node:fs'
import { findHookClient, HOOK_CLIENTS, type HookClient, type HookKind } from '@sworn/proxy/hooks'
import { findAgentSetup, SCOPES } from '../packages/cli/src/agents/setups.ts'
import { HOOK_CELLS, type Told } from './src/hook-cells.ts'

interface Vectors {
  readonly made: string
  readonly hooks: readonly { readonly event: string; readonly records: readonly string[]; readonly reply?: object }[]
}

const KINDS: Readonly<Record<HookKind, string>> = {
  session_start: '`session_start`, `instrumentation_report`; calls that were open for a week are ended as `outcome_unknown`',
  session_end: '`session_end` with `metadata.stats`; what is open is ended as `outcome_unknown`',
  prompt: '`user_prompt`; what the agent left open is ended as `outcome_unknown`',
  before: '`authorization_decision` on disk, then `tool_call_start`; without a policy the start alone, on disk',
  after: '`tool_call_end`, or `tool_call_error` where the result says so',
  failed: '`tool_call_error`',
  permission: '`permission_request`',
  permission_denied: '`tool_call_error` with `error_type` denied',
  subagent_start: '`subagent_start`; its calls carry `parent_id`, `agent_id` and `agent.parent_agent_id`',
  subagent_end: '`subagent_end`; what it left open is ended as `outcome_unknown`',
  compaction: '`compaction`',
  stop: '`turn_end`; what the agent left open is ended as `outcome_unknown`',
  trouble: '`agent_error`',
}

const HEAD = `# Hooks of coding agents

Reference; generated from \`packages/proxy/src/hooks\`, \`vectors/hooks\` and what the tests expect (\`testkit/src/hook-cells.ts\`) by \`npm run docs\`. How to use them: [coding agents](../guides/coding-agents.md).

\`sworn hook CLIENT EVENT\` reads one JSON of at most 16 MiB on stdin and prints at most one JSON. Every record has \`source.kind\` hook, the client's session as \`session_id\`, and \`vantage\` inline where the call could have been stopped, else observed.

- An allowed call is answered with nothing: the client's own rules still hold. A refused one is answered in the client's form. An \`ask\` of the policy is left to the client's user where the client can ask; elsewhere the people of \`audit.approvals\` are asked for up to 45 s, and where nobody can be asked the call is refused (\`approval_unavailable\`). The client does not tell hooks what that person said: the outcome does.
- Before and after a call meet by the client's id of it; where it has none, by session, tool and input, in the order in which they began. An outcome without a beginning is recorded with \`metadata.unmatched\`.
- A refused call has its decision and nothing else; no client sends anything for it.
- Sensitive data in arguments that a policy blocks refuses the call. What it masks runs masked where the client takes changed arguments, and refuses the call elsewhere; so does a name that has to be masked in Gemini CLI, which lays the changed arguments over the old ones. Versions of a client that do not know its form yet (Codex before May 2026) run the call as it was. In results it is recorded as \`dlp_match\`; a hook comes too late to hold it back.
- When sworn cannot record or decide, the call is refused (\`audit_unavailable\`, \`policy_invalid\`), unless \`on_audit_failure: continue\` is configured. Other hooks end with exit code 1, which no client takes for a refusal. Exit code 2, which they do, is kept for payloads of which not even the event is known.
- Beyond that it is the client that decides. With the hooks that \`sworn install\` writes (on Windows less is known: there the guard in the command is left out):

| client | the process dies or cannot be started | no answer in time | hooks not run at all | \`ask\` | masked arguments | known from |
|---|---|---|---|---|---|---|
`

export function hooksPage(): string {
  const rows = HOOK_CLIENTS.map(({ name, facts: { title, source, version, untrusted: where } }) => {
    const { crash, timeout, untrusted, ask, masked } = HOOK_CELLS[name]!
    const known = source === 'measured' ? `measured with ${version}, and its documentation` : '**documentation only**'
    return `| ${[title, ...[crash, timeout, untrusted === 'not known' ? untrusted : { ...untrusted, words: where }].map(tell), ask, MASKED[masked], known].join(' | ')} |`
  })
  return [`${HEAD}${rows.join('\n')}`, '', NOTE, '', ...HOOK_CLIENTS.flatMap(section)].join('\n')
}

const NOTE =
  '† after its documentation. `ask` and masked arguments are replayed with its vectors in every test run; the other cells are asserted with the client itself, offline, where `SWORN_TESTS=full` runs and it is installed.'

const MASKED = {
  run: 'run',
  refused: 'refused: whether it takes changed arguments was never seen, and if not it would run the others',
} as const

/** What a client itself did has no mark. */
function tell(cell: Told | 'not known'): string {
  if (cell === 'not known') return cell
  return cell.by === 'client' ? cell.words : `${cell.words} †`
}

function section(client: HookClient): string[] {
  const { made, hooks }: Vectors = JSON.parse(readFileSync(`vectors/hooks/${client.name}.json`, 'utf8'))
  const refused = hooks.find(({ reply, records }) => reply !== undefined && records[0]?.includes(' deny '))
  const events = Object.entries(client.events).map(([event, kind]) => `| \`${event}\` | ${KINDS[kind]} |`)
  return [
    `## ${client.name}`,
    '',
    `${client.facts.title}. ${placesOf(client)} Replayed in every test run: \`vectors/hooks/${client.name}.json\`. ${made}`,
    '',
    '| hook | recorded as |',
    '|---|---|',
    ...events,
    '',
    'A refusal:',
    '',
    '```json',
    JSON.stringify(refused?.reply),
    '```',
    '',
    client.asks
      ? 'It asks its user when a policy says `ask`.'
      : 'It cannot be told to ask its user: the people of `audit.approvals` are asked.',
    '',
  ]
}

function placesOf({ name }: HookClient): string {
  const where = { platform: 'linux', env: {}, homeDirectory: '~', cwd: '.' } as const
  const files = findHookClient(name) && findAgentSetup(name)?.files(where)
  const places = SCOPES.flatMap((scope) => (files?.[scope] ? [`${scope} \`${files[scope]}\``] : []))
  return `Installed in: ${places.join(', ')}.`
}
