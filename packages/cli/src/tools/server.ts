/**
 * An MCP server in this process that looks like one of its own: lines in, lines out. Its tools are those of a YAML file.
 *
 * It stands behind the relay, which reads, judges and records every line before it comes here: only what may run
 * arrives. The official SDK speaks both eras of the protocol. At most 16 scripts run at once, the others wait.
 * Source: MCP 2025-11-25 and 2026-07-28, "Tools".
 * @module
 */
import { PassThrough, Writable } from 'node:stream'
import { type JSONRPCMessage, Server, type Transport } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createSplitter, type ProxyExit, type ServerProcess } from '@sworn/proxy'
import { type Argument, type Parameter, type Ran, runTool, type Tool, type ToolFile } from '@sworn/proxy/tools'

const MAX_AT_ONCE = 16

type Id = string | number
type Env = Readonly<Record<string, string | undefined>>

/** Opens the server. @param env of this process; what scripts see of it, their file says */
export function openToolServer(file: ToolFile, env: Env): ServerProcess {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const all = new AbortController()
  const running = new Set<Promise<unknown>>()
  const { promise: ended, resolve } = Promise.withResolvers<ProxyExit>()
  const slots = createSlots(MAX_AT_ONCE)
  let isOver = false

  async function run(tool: Tool, input: unknown, signal: AbortSignal): Promise<Ran> {
    const ran = slots(() => runTool(tool, input, { env, signal: AbortSignal.any([signal, all.signal]) }))
    running.add(ran)
    return ran.finally(() => running.delete(ran))
  }

  const lines = createLines(stdout, () => end({ exitCode: 0, signal: null }))
  const served = serveStdio(() => createServer(file, run, lines), { transport: lines.transport })

  function end(exit: ProxyExit): void {
    if (isOver) return
    isOver = true
    all.abort()
    const left = Promise.allSettled([...running, served.close()])
    void left.then(() => {
      stderr.end()
      stdout.end(() => resolve(exit))
    })
  }

  return {
    stdin: lines.stdin,
    stdout,
    stderr,
    ended,
    kill: (signal) => end({ exitCode: null, signal }),
    stop(graceMs) {
      const timer = setTimeout(end, graceMs, { exitCode: 0, signal: null })
      void ended.then(() => clearTimeout(timer))
    },
  }
}

interface Lines {
  readonly transport: Transport
  readonly stdin: Writable
  /** What a request that is open gives its tool, as it came: the SDK leaves out members that it does not know as names. */
  argumentsOf(id: Id): unknown
  /** The request needs no answer any more. */
  forget(id: Id): void
}

/** @param onDone the input is over, and every request has its answer */
function createLines(stdout: PassThrough, onDone: () => void): Lines {
  const open = new Map<Id, unknown>()
  let isClosing = false
  const transport: Transport = {
    start: async () => {},
    async send(message) {
      if (!stdout.write(`${JSON.stringify(message)}\n`)) await new Promise((resolve) => stdout.once('drain', resolve))
      if ('id' in message && message.id !== undefined && !('method' in message)) forget(message.id)
    },
    close: async () => transport.onclose?.(),
  }

  function forget(id: Id): void {
    open.delete(id)
    if (isClosing && open.size === 0) onDone()
  }

  function take(line: Buffer): void {
    const message = JSON.parse(line.toString('utf8')) as JSONRPCMessage // the relay lets nothing else through
    if ('method' in message && 'id' in message) open.set(message.id, message.params?.arguments)
    transport.onmessage?.(message)
  }
  const splitter = createSplitter({ onFrame: take, onLost: () => {} })
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      splitter.push(chunk)
      done()
    },
    final(done) {
      done()
      isClosing = true
      if (open.size === 0) onDone()
    },
  })
  return { transport, stdin, argumentsOf: (id) => open.get(id), forget }
}

type Run = (tool: Tool, input: unknown, signal: AbortSignal) => Promise<Ran>

function createServer({ name, version, tools }: ToolFile, run: Run, { argumentsOf, forget }: Lines): Server {
  const server = new Server({ name, version }, { capabilities: { tools: {} } })
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  server.setRequestHandler('tools/list', () => ({ tools: tools.map(describe) }))
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq: { id, signal } }) => {
    const tool = byName.get(params.name)
    const { text, isError } = tool ? await run(tool, argumentsOf(id), signal) : { text: 'no tool has this name', isError: true }
    if (signal.aborted) forget(id) // it gets no answer
    return { content: [{ type: 'text' as const, text }], isError }
  })
  return server
}

function describe({ name, description, parameters }: Tool) {
  return {
    name,
    description,
    inputSchema: {
      type: 'object' as const,
      properties: Object.fromEntries(parameters.map((parameter) => [parameter.name, schemaOf(parameter)])),
      required: parameters.filter(({ required }) => required).map((parameter) => parameter.name),
      additionalProperties: false,
    },
  }
}

function schemaOf({ type, description, values, fallback }: Parameter): Record<string, Argument | Argument[]> {
  return {
    type,
    ...(description !== undefined && { description }),
    ...(values && { enum: [...values] }),
    ...(fallback !== undefined && { default: fallback }),
  }
}

/** Runs at most `max` at once, in order. */
function createSlots(max: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let taken = 0
  return async (work) => {
    if (taken >= max) await new Promise<void>((resolve) => waiting.push(resolve))
    else taken++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else taken--
    }
  }
}
