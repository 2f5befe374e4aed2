/**
 * The main job as a script: a real client, `sworn proxy`, a server, then verification and three forgeries.
 *
 * The proxy runs as a child process of the client, as in real life; at its terminal sits a script. What is printed is what the ledger says.
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { findLedger, followLedger, parseEntry } from '@sworn/analyze/reading'
import type { Io } from '../frame/io.ts'
import { formatLine } from '../reading/show.ts'
import { createPaint } from '../text/colour.ts'
import { escapeText } from '../text/escape.ts'
import { FORGERIES, forgeCopy } from './forge.ts'

export interface DemoPlan {
  /** A fresh directory for files, policy, state and forged copies. */
  readonly place: string
  /** The ledger directory; must not exist. */
  readonly ledger: string
  /** The server and its arguments; the directory it serves is added. */
  readonly server: readonly string[]
  /** `sworn proxy` with a scripted terminal: its first argument is the file that keeps what was said there. */
  readonly proxy: readonly string[]
  /** SWORN_HOME of the run. */
  readonly home: string
  /** Runs one command line of sworn with this run's home; returns its exit code. */
  sworn(argv: readonly string[]): Promise<number>
}

/** How long the proxy may take to close the ledger. */
const CLOSE_MS = 5_000

/** Joined at run time, so that no scanner of this source takes it for a real one. */
const SECRET = ['ghp', '16C7e42F292c6912E7710c838347Ae178B4a'].join('_')

const POLICY = (files: string) => `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: { name: demo, version: "1" }
spec:
  mode: enforce
  allowed_tools: [list_directory]
  tool_rules:
    - tool: read_text_file
      action: allow
      allow_args: { path: ${JSON.stringify(`${files}/[^/]+[.]txt`)} }
    - { tool: write_file, action: block }
    - { tool: create_directory, action: ask }
  dlp:
    patterns:
      - { name: github_token, regex: "ghp_[A-Za-z0-9]{36}" }
`

/** @returns 0 when the session was recorded, verified, and every forgery was caught */
export async function runDemo(plan: DemoPlan, io: Io): Promise<number> {
  const files = prepare(plan.place)
  await io.out('1. An agent works through the proxy; these are the records as they are written.\n')
  const answers = await runSession(plan, files, io)
  await io.out('\n2. What the agent got:\n')
  for (const answer of answers) await io.out(answer)
  await io.out('\n3. What was said at the terminal when the policy asked:')
  for (const line of readFileSync(transcriptOf(plan), 'utf8').split('\n')) await io.out(escapeText(`   ${line}`.trimEnd()))
  await io.out('\n4. What can be claimed about it:\n')
  const verified = await plan.sworn(['verify', plan.ledger])
  await io.out('\n5. Three forgers at work on copies:')
  let caught = 0
  for (const [n, forgery] of FORGERIES.entries()) {
    const copy = join(plan.place, `forged-${n}`)
    await io.out(`\n   ${forgery.title}:\n`)
    forgeCopy(plan.ledger, copy, forgery)
    if ((await plan.sworn(['verify', copy])) === 1) caught++
  }
  await io.out(`\n${caught} of ${FORGERIES.length} forgeries were caught.`)
  return verified === 0 && caught === FORGERIES.length ? 0 : 1
}

function prepare(place: string): string {
  const files = join(place, 'files')
  mkdirSync(files)
  writeFileSync(join(files, 'notes.txt'), 'Buy milk.\n')
  writeFileSync(join(files, 'deploy.txt'), `host: example.com\ntoken: ${SECRET}\n`)
  writeFileSync(join(files, 'private.key'), 'not for agents\n')
  writeFileSync(join(place, 'agent.yaml'), POLICY(files))
  return files
}

/** One client, one session; prints each record when it is written, returns what the agent got. */
async function runSession(plan: DemoPlan, files: string, io: Io): Promise<string[]> {
  const client = new Client({ name: 'sworn-demo-client', version: '1.0.0' })
  await client.connect(startProxy(plan, files, io))
  const stop = new AbortController()
  const printed = printRecords(plan.ledger, stop, io)
  try {
    return await useTools(client, files)
  } finally {
    await client.close()
    const timer = setTimeout(() => stop.abort(), CLOSE_MS)
    await printed
    clearTimeout(timer)
  }
}

function transcriptOf({ place }: DemoPlan): string {
  return join(place, 'terminal.txt')
}

function startProxy(plan: DemoPlan, files: string, io: Io): StdioClientTransport {
  const [command = process.execPath, ...before] = plan.proxy
  const policy = join(plan.place, 'agent.yaml')
  const flags = ['--policy', policy, '--audit-log', plan.ledger, '--user', 'alice@example.com', '--agent', 'demo-agent']
  const env = { PATH: io.env.PATH ?? '', HOME: io.homeDirectory, SWORN_HOME: plan.home }
  return new StdioClientTransport({
    command,
    args: [...before, transcriptOf(plan), 'proxy', ...flags, '--', ...plan.server, files],
    env,
    cwd: plan.place,
    stderr: 'inherit',
  })
}

async function useTools(client: Client, files: string): Promise<string[]> {
  const at = (name: string) => ({ path: join(files, name) })
  return [
    await tell(client, 'list_directory', { path: files }),
    ...(await Promise.all([tell(client, 'read_text_file', at('notes.txt')), tell(client, 'read_text_file', at('deploy.txt'))])),
    await tell(client, 'create_directory', at('reports')),
    await tell(client, 'create_directory', at('private')),
    await tell(client, 'write_file', { ...at('notes.txt'), content: 'gone' }),
    await tell(client, 'read_text_file', at('private.key')),
    `   there ${existsSync(join(files, 'reports')) ? 'is' : 'is no'} directory reports, and ${existsSync(join(files, 'private')) ? 'one' : 'none'} called private`,
    `   notes.txt still reads ${JSON.stringify(readFileSync(join(files, 'notes.txt'), 'utf8'))}`,
  ]
}

/** Calls one tool and says what the agent got. */
async function tell(client: Client, name: string, args: Record<string, unknown>): Promise<string> {
  const call = `   ${name} ${basename(String(args.path))}`
  try {
    const result = await client.callTool({ name, arguments: args })
    return escapeText(`${call} → ${JSON.stringify(result.content)}`)
  } catch (e) {
    return escapeText(`${call} → refused: ${e instanceof Error ? e.message : 'unknown'}`)
  }
}

/** Prints records until the ledger was closed. */
async function printRecords(ledger: string, stop: AbortController, io: Io): Promise<void> {
  const files = findLedger(ledger, '/')
  const paint = createPaint(io)
  for await (const bytes of followLedger(files, 0, stop.signal)) {
    const entry = parseEntry({ bytes })
    if (entry) await io.out(formatLine(entry, paint, { utc: false, width: io.columns }))
    if (entry?.event_type === 'log.stop') stop.abort()
  }
}
