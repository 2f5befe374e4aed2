/**
 * Seeded agent events of about 1 KB, for benches and load tests.
 *
 * Same seed, same events, on every machine. Over a large sample: 1007 bytes of JSON on average (p5 745,
 * p95 1261, at most 1560), 85 % tool calls, 15 % model calls, 26 % with some literal that starts a secret
 * pattern and none with a secret, so that a scanner's prefilter works and no pattern matches. 5 % are not ASCII.
 * @module
 */

/** One event as a caller reports it: members of docs/format.md, without those that the recorder adds. */
export interface AgentEvent {
  readonly event_type: 'tool_call_end' | 'model_response'
  readonly user: string
  readonly agent_id: string
  readonly session_id: string
  readonly [member: string]: unknown
}

/** Beginnings of secrets, harmless as they stand here: each is followed by a word of prose. */
export const SECRET_LITERALS = ['AKIA', 'ghp_', 'sk-', 'xoxb-', 'eyJ', 'postgres://', 'password', 'AIza', '-----BEGIN', 'npm_'] as const

const MEAN_BYTES = 1004
const DEVIATION_BYTES = 161
const LEAST_BYTES = 560
const MOST_BYTES = 1560
const LITERAL_SHARE = 0.26
const FOREIGN_SHARE = 0.05
const MODEL_SHARE = 0.15

const WORDS =
  'the of and report build check change file line test result value branch merge index query order field note plan step cache page user group list item form view table count state error retry limit window queue batch event entry proof chain config module export import parse format review deploy invoice customer record schema'.split(
    ' ',
  )
const FOLDERS = ['src', 'docs', 'packages/api', 'packages/web', 'infra/terraform', 'scripts', 'tests/unit']
const AGENTS = ['triage', 'coder', 'reviewer', 'billing-assistant', 'researcher']
const HOSTS = ['api.example.com', 'git.example.org', 'status.example.net']

/** A source of numbers in [0, 1): mulberry32. */
export type Random = () => number

/** Numbers in [0, 1) that depend on `seed` alone. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * `count` events that depend on `seed` alone.
 *
 * @param count 0 or more; each event takes about 3 KB of heap
 */
export function agentEvents(seed: number, count: number): AgentEvent[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => agentEvent(random))
}

function agentEvent(random: Random): AgentEvent {
  const bytes = eventBytes(random)
  const make = random() < MODEL_SHARE ? modelCall(random) : toolCall(random)
  const literal = random() < LITERAL_SHARE ? `${pick(random, SECRET_LITERALS)} ` : ''
  const start = random() < FOREIGN_SHARE ? `${literal}résumé → ` : literal
  const empty = make(start)
  return make(start + prose(random, bytes - Buffer.byteLength(JSON.stringify(empty))))
}

/** Normally distributed (Box–Muller), cut at both ends. */
function eventBytes(random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.round(Math.min(MOST_BYTES, Math.max(LEAST_BYTES, MEAN_BYTES + DEVIATION_BYTES * normal)))
}

/** Members that both kinds carry. */
function common(random: Random): Pick<AgentEvent, 'user' | 'agent_id' | 'session_id'> & Record<string, unknown> {
  return {
    user: `user-${whole(random, 200)}@example.com`,
    agent_id: pick(random, AGENTS),
    session_id: `session-${whole(random, 5000)}`,
    correlation_id: hex(random, 16),
    trace_id: hex(random, 32),
    span_id: hex(random, 16),
    source: { kind: 'mcp_stdio', name: 'workbench', version: '2.4.0', vantage: 'inline' },
  }
}

type Make = (text: string) => AgentEvent

function toolCall(random: Random): Make {
  const members = common(random)
  const { tool, target, args } = pick(random, TOOLS)(random)
  const outcome = { is_error: random() < 0.03, duration_ms: whole(random, 9000) / 10, result_bytes: whole(random, 60_000) }
  const digest = hex(random, 64)
  return (text) => ({
    event_type: 'tool_call_end',
    ...members,
    tool,
    server: 'workbench',
    method: 'tools/call',
    target,
    arguments: args(text),
    result: `ok, ${outcome.result_bytes} bytes`,
    ...outcome,
    result_hash: `hmac-sha256:${digest}`,
    metadata: { attempt: 1 },
  })
}

function modelCall(random: Random): Make {
  const members = common(random)
  const usage = { input_tokens: whole(random, 40_000), output_tokens: whole(random, 4000), cache_read_tokens: whole(random, 30_000) }
  const measured = { duration_ms: whole(random, 90_000) / 10, cost_usd: whole(random, 9000) / 10_000 }
  const digest = hex(random, 64)
  return (text) => ({
    event_type: 'model_response',
    ...members,
    model: 'large-2026-09',
    provider: 'example',
    usage,
    ...measured,
    finish_reason: 'tool_use',
    result: text,
    result_hash: `hmac-sha256:${digest}`,
    metadata: { temperature: 0.2, stop: ['\n\nHuman:'], tools: ['bash', 'read', 'edit'] },
  })
}

interface ToolCall {
  readonly tool: string
  readonly target: string
  readonly args: (text: string) => unknown
}

const TOOLS: readonly ((random: Random) => ToolCall)[] = [bash, read, write, edit, http, sql, github, email]

function bash(random: Random): ToolCall {
  const cwd = path(random)
  const env = { CI: '1', LANG: 'C.UTF-8' }
  return { tool: 'bash', target: cwd, args: (text) => ({ command: `grep -rn "TODO" . | head\n# ${text}`, cwd, timeout: 30_000, env }) }
}

function read(random: Random): ToolCall {
  const target = path(random)
  const range = { offset: whole(random, 400), limit: 200 }
  return { tool: 'read', target, args: (text) => ({ path: target, ...range, purpose: text }) }
}

function write(random: Random): ToolCall {
  const target = path(random)
  return { tool: 'write', target, args: (content) => ({ path: target, content, mode: 0o644, options: { createFolders: true } }) }
}

function edit(random: Random): ToolCall {
  const target = path(random)
  const old = prose(random, 60)
  return { tool: 'edit', target, args: (text) => ({ path: target, edits: [{ old, new: text, line: 12 }], dry_run: false }) }
}

function http(random: Random): ToolCall {
  const target = `https://${pick(random, HOSTS)}/v1/items/${whole(random, 99_999)}`
  const headers = { accept: 'application/json', 'x-request-id': hex(random, 16) }
  return { tool: 'http_request', target, args: (note) => ({ method: 'POST', url: target, headers, body: { note, tags: ['a', 'b'] } }) }
}

function sql(random: Random): ToolCall {
  const query = 'SELECT id, name FROM customers WHERE region = $1 AND updated_at > $2 ORDER BY id LIMIT 50'
  const params = ['eu-west', whole(random, 1e9)]
  return { tool: 'sql_query', target: 'warehouse.customers', args: (comment) => ({ query, params, comment, read_only: true }) }
}

function github(random: Random): ToolCall {
  const repo = `example/service-${whole(random, 40)}`
  const labels = ['bug', 'triage', `p${whole(random, 4)}`]
  return { tool: 'github_create_issue', target: repo, args: (body) => ({ repo, title: 'Check fails on main', body, labels }) }
}

function email(random: Random): ToolCall {
  const to = [`user-${whole(random, 200)}@example.com`]
  return { tool: 'send_email', target: to[0]!, args: (text) => ({ to, cc: [], subject: 'Weekly report', body: { text, html: null } }) }
}

function path(random: Random): string {
  return `/home/agent/work/${pick(random, FOLDERS)}/${pick(random, WORDS)}-${whole(random, 1000)}.ts`
}

/** Words up to `bytes` bytes of UTF-8; empty when `bytes` is not positive. */
function prose(random: Random, bytes: number): string {
  let text = ''
  let left = bytes
  while (left > 0) {
    const word = `${pick(random, WORDS)} `
    const taken = Buffer.byteLength(word) <= left ? word : 'x'.repeat(left)
    text += taken
    left -= Buffer.byteLength(taken)
  }
  return text
}

function hex(random: Random, digits: number): string {
  let out = ''
  while (out.length < digits)
    out += whole(random, 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return out.slice(0, digits)
}

function whole(random: Random, below: number): number {
  return Math.floor(random() * below)
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[whole(random, from.length)]!
}
