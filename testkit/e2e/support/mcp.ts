/**
 * MCP clients of the official SDK in front of `sworn proxy`, and the servers behind it.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { endWithTests } from '../../src/children.ts'
import { inherited, NODE, type Place, SWORN } from './cli.ts'

export interface Connected {
  readonly client: Client
  /** Of the process that was started. */
  readonly pid: number
  /** What it wrote to stderr so far. */
  errors(): string
  call(name: string, input?: Record<string, unknown>): Promise<unknown>
  close(): Promise<void>
}

/** Flags of a policy that allows `tools` and nothing else. */
export function allowing(place: Place, ...tools: readonly string[]): string[] {
  const file = join(place.home, 'policy.yaml')
  const lists = `spec:\n  allowed_tools: [${tools.join(', ')}]\n`
  writeFileSync(file, `apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: e2e}\n${lists}`)
  return ['--policy', file]
}

/** Starts `sworn proxy flags -- server` and greets the server through it. */
export function connect(flags: readonly string[], server: readonly string[], place: Place): Promise<Connected> {
  return open([...SWORN, 'proxy', ...flags, '--', ...server], place)
}

/** Starts any server and greets it. */
export async function open(argv: readonly string[], { cwd, home, env = {}, wrap = [] }: Place): Promise<Connected> {
  const [command, ...args] = [...wrap, ...argv]
  const transport = new StdioClientTransport({
    command: command!,
    args,
    cwd,
    env: { ...inherited(), HOME: home, SWORN_HOME: home, SWORN_RECORDER: 'off', ...env },
    stderr: 'pipe',
  })
  let errors = ''
  transport.stderr?.on('data', (chunk) => {
    errors += String(chunk)
  })
  const client = new Client({ name: 'sworn-e2e', version: '1.0.0' }, { capabilities: {} })
  await client.connect(transport).catch((cause: unknown) => {
    throw new Error(`${cause instanceof Error ? cause.message : cause}; the process said: ${errors}`, { cause })
  })
  endWithTests({ kill: (signal) => isAlive(transport.pid ?? 0) && process.kill(transport.pid!, signal) })
  return {
    client,
    pid: transport.pid!,
    errors: () => errors,
    call: (name, input = {}) => client.callTool({ name, arguments: input }, undefined, { timeout: 60_000 }),
    close: () => client.close(),
  }
}

/** The servers of testkit; `files` is the directory that a file server may read. */
export const SERVERS = {
  testkit: (): string[] => [...NODE, fileURLToPath(new URL('../../src/mcp/server.ts', import.meta.url))],
  filesystem: (files: string): string[] => reference('filesystem', files),
  memory: (): string[] => reference('memory'),
  everything: (): string[] => reference('everything'),
}

/** The same server, and a file with every byte that it was sent. */
export function watched(server: readonly string[], seen: string): string[] {
  return ['sh', '-c', 'tee "$0" | exec "$@"', seen, ...server]
}

function reference(name: string, ...args: string[]): string[] {
  const manifest = createRequire(import.meta.url).resolve(`@modelcontextprotocol/server-${name}/package.json`)
  return [process.execPath, join(dirname(manifest), 'dist', 'index.js'), ...args]
}

/** The processes that `pid` started, on Linux. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
