/** The official client SDKs, both generations, behind one small face, and the reference servers. @module */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js'

export interface Command {
  readonly command: string
  readonly args: string[]
  readonly env?: Record<string, string>
}

type Params = Record<string, unknown>

/** What a script uses of a client. */
export interface Peer {
  listTools(): Promise<unknown>
  listResources(): Promise<unknown>
  listPrompts(): Promise<unknown>
  readResource(params: Params): Promise<unknown>
  getPrompt(params: Params): Promise<unknown>
  callTool(params: Params, options?: { signal?: AbortSignal; onprogress?: (progress: unknown) => void }): Promise<unknown>
  ping(): Promise<unknown>
  close(): Promise<void>
  /** `name version` of the server as it introduced itself. */
  server(): string
  /** Protocol version in use, where the SDK tells. */
  version(): string | undefined
}

const CAPABILITIES = { roots: {}, sampling: {}, elicitation: {} }
const ROOTS = { roots: [{ uri: 'file:///tmp/root', name: 'root' }] }
const SAMPLE = { role: 'assistant' as const, model: 'none', content: { type: 'text' as const, text: 'sampled' } }
const ACCEPT = { action: 'accept' as const, content: { confirm: true, name: 'ann' } }
const INFO = { name: 'sworn-test', version: '1.0.0' }

function toServer(info: { name?: string; version?: string } | undefined): string {
  return `${info?.name} ${info?.version}`
}

/** What its user says to a form. */
export type FormAnswer = { readonly action: 'accept' | 'decline' | 'cancel'; readonly content?: Record<string, string | boolean> }
export type FillForm = (params: { readonly message: string }) => FormAnswer | Promise<FormAnswer>

/** A client of the 1.x SDK. */
export async function openClient1(to: Command | URL, fill: FillForm = () => ACCEPT): Promise<Peer> {
  const client = new Client(INFO, { capabilities: CAPABILITIES })
  client.setRequestHandler(ListRootsRequestSchema, () => ROOTS)
  client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLE)
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({ ...(await fill(params)) }))
  const remote = () => new StreamableHTTPClientTransport(to as URL) as Transport // its sessionId may be undefined, which the strict flags tell apart
  await client.connect(to instanceof URL ? remote() : new StdioClientTransport({ ...to, stderr: 'ignore' }))
  return {
    listTools: () => client.listTools(),
    listResources: () => client.listResources(),
    listPrompts: () => client.listPrompts(),
    readResource: ({ uri }) => client.readResource({ uri: String(uri) }),
    getPrompt: (params) => client.getPrompt(params as Parameters<typeof client.getPrompt>[0]), // scripts write {name, arguments}
    callTool: (params, options) => client.callTool(params as Parameters<typeof client.callTool>[0], undefined, options),
    ping: () => client.ping(),
    close: () => client.close(),
    server: () => toServer(client.getServerVersion()),
    version: () => undefined,
  }
}

/** A client of the 2.x SDK, in the era that `mode` asks for. */
export async function openClient2(to: Command | URL, mode: 'legacy' | 'auto' = 'legacy', fill: FillForm = () => ACCEPT): Promise<Peer> {
  const client = new ModernClient(INFO, { capabilities: CAPABILITIES, versionNegotiation: { mode } })
  client.setRequestHandler('roots/list', () => ROOTS)
  client.setRequestHandler('sampling/createMessage', () => SAMPLE)
  client.setRequestHandler('elicitation/create', async ({ params }) => ({ ...(await fill(params)) }))
  await client.connect(to instanceof URL ? new ModernHttp(to) : new ModernTransport({ ...to, stderr: 'ignore' }))
  return {
    listTools: () => client.listTools(),
    listResources: () => client.listResources(),
    listPrompts: () => client.listPrompts(),
    readResource: ({ uri }) => client.readResource({ uri: String(uri) }),
    getPrompt: (params) => client.getPrompt(params as Parameters<typeof client.getPrompt>[0]), // scripts write {name, arguments}
    callTool: (params, options) => client.callTool(params as Parameters<typeof client.callTool>[0], options),
    ping: () => client.ping(),
    close: () => client.close(),
    server: () => toServer(client.getServerVersion()),
    version: () => client.getNegotiatedProtocolVersion(),
  }
}

const PROXY = fileURLToPath(new URL('./proxy-main.ts', import.meta.url))
const TEST_SERVER = fileURLToPath(new URL('../../../../testkit/src/mcp/server.ts', import.meta.url))
const SOURCE = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source']

/** What the compiler has made already; the SDKs hand on little of the environment. */
const COMPILED = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '' }

/** The command behind the proxy. */
export function proxied({ command, args, env = {} }: Command, proxyEnv: Record<string, string> = {}): Command {
  return { command: process.execPath, args: [...SOURCE, PROXY, command, ...args], env: { ...COMPILED, ...env, ...proxyEnv } }
}

export function testServer(): Command {
  return { command: process.execPath, args: [...SOURCE, TEST_SERVER] }
}

/** One of the reference servers as installed. */
export function referenceServer(name: string, args: string[] = [], env: Record<string, string> = {}): Command {
  const manifest = createRequire(import.meta.url).resolve(`@modelcontextprotocol/server-${name}/package.json`)
  return { command: process.execPath, args: [join(dirname(manifest), 'dist', 'index.js'), ...args], env }
}
