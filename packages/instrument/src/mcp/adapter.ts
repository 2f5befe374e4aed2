/**
 * MCP from inside: every transport that a client or a server of the TypeScript SDKs connects to.
 *
 * Both generations have a class that clients and servers extend and that takes the transport in `connect`; it is found
 * by that shape, because the second one ships it twice and under no stable name. Source: spec capture §4.1.
 * @module
 */
import type { Adapter, Tools } from '../adapter.ts'
import { memberOf, textAt } from '../members.ts'
import type { Method } from '../patches.ts'
import type { Server } from './messages.ts'
import { type McpTransport, watchTransport } from './transport.ts'

const CLASSES = ['Protocol', 'Client', 'Server', 'McpServer'] as const

const FIRST = [{ file: /^dist\/(?:esm|cjs)\/shared\/protocol\.js$/, names: ['Protocol'] }]
/** The class stands in a chunk whose name is a hash; the others of its folder have nothing of that name. */
const SECOND = [{ file: /^dist\/[\w-]+\.[mc]js$/, names: ['Protocol'] }]

export const mcp: Adapter = {
  id: 'mcp',
  layer: 'sdk',
  facts: {
    sees: 'tool calls, resources read, prompts, sampling and elicitation, as client and as server, with their answers',
    stops: 'all of them',
    misses: 'lists, what a client asks before it connects (`server/discover`), results of tasks that are fetched later',
  },
  canBlock: () => true,
  targets: [
    { pkg: '@modelcontextprotocol/sdk', entries: ['@modelcontextprotocol/sdk/shared/protocol.js'], tested: [1, 1], files: FIRST },
    { pkg: '@modelcontextprotocol/client', entries: ['@modelcontextprotocol/client'], tested: [2, 2], files: SECOND },
    { pkg: '@modelcontextprotocol/server', entries: ['@modelcontextprotocol/server'], tested: [2, 2], files: SECOND },
  ],
  patch: ({ module }, tools) =>
    CLASSES.filter((name) => {
      const root = rootOf(memberOf(module, name, 'prototype'))
      return root !== undefined && tools.patches.method(root, 'connect', (connect) => connecting(connect, tools))
    }),
}

/** The farthest prototype that has a `connect` of its own. */
function rootOf(prototype: unknown): object | undefined {
  let root: object | undefined
  let at: unknown = prototype
  while (typeof at === 'object' && at !== null) {
    if (Object.hasOwn(at, 'connect')) root = at
    at = Object.getPrototypeOf(at)
  }
  return root
}

function connecting(connect: Method, { guard: sent, received, recorder, patches }: Tools): Method {
  return function (...args) {
    const transport = args[0] as McpTransport // what connect() takes
    try {
      const { isActive } = patches
      watchTransport(transport, { guards: { sent, received }, recorder, isActive, server: () => serverOf(this) })
    } catch {
      // no transport: connect says so
    }
    return Reflect.apply(connect, this, args)
  }
}

/** The server at one end: ours when we are it, otherwise what it said about itself. */
function serverOf(protocol: unknown): Server {
  const side = memberOf(protocol, 'server') ?? protocol // an McpServer has its Server there
  const info = memberOf(side, '_serverInfo') ?? memberOf(side, '_serverVersion')
  return { name: textAt(info, 'name'), version: textAt(info, 'version') }
}
