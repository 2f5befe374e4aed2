/** The other ends of the channels: a dashboard, a webhook's receiver, a person at a terminal, a dialog program, MCP clients. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createApprovalApi } from '../../src/approvals/channels/api.ts'
import { createDialogChannel } from '../../src/approvals/channels/dialog.ts'
import { createElicitationChannel, createInputRequiredChannel } from '../../src/approvals/channels/mcp.ts'
import { INPUT_KEY } from '../../src/approvals/channels/mcp-messages.ts'
import { createTerminalChannel } from '../../src/approvals/channels/terminal.ts'
import { createWebhookChannel } from '../../src/approvals/channels/webhook.ts'
import { parseWebhookSecret, signWebhook } from '../../src/approvals/channels/webhook-signature.ts'
import type { Channel, Question, Tell } from '../../src/approvals/index.ts'
import { START_MS } from './approvals.ts'
import type { ChannelDriver } from './channel-contract.ts'

const nothing = async () => {}
const ANOTHER = 'f'.repeat(32)

export const TOKEN = 'a-token-of-the-dashboard'
export const bearer = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }

export function postTo(id: string, body: unknown, headers: Record<string, string> = bearer): Request {
  return new Request(`http://127.0.0.1/api/approvals/${id}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** What breaks this channel is another approval room: it can only be told so by the core. */
export async function apiDriver(): Promise<ChannelDriver> {
  const { channel, route } = createApprovalApi({ tokens: [{ token: TOKEN, approver: 'ada' }] })
  const tells = new Map<string, Tell>()
  const watched: Channel = {
    ...channel,
    open(question, tell) {
      tells.set(question.id, tell)
      return channel.open(question, tell)
    },
  }
  const pending = { count: 0 }
  const send = async (id: string, shownHash: string, approved: boolean) => {
    await route(postTo(id, { shown_hash: shownHash, approved }))
    const list = await route(new Request('http://127.0.0.1/api/approvals', { headers: bearer }))
    pending.count = ((await list!.json()) as { pending: unknown[] }).pending.length
  }
  return {
    channel: watched,
    answer: ({ id, shownHash }, approved) => send(id, shownHash, approved),
    answerForAnother: async ({ id, shownHash }) => {
      await send(id, 'sha256:0', true)
      await send(ANOTHER, shownHash, true)
      pending.count = 0
    },
    break: async ({ id }) => void tells.get(id)!({ kind: 'failed', why: 'closed' }),
    shown: nothing,
    leftovers: () => pending.count,
    close: nothing,
  }
}

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** The body that a receiver answers with. */
export function webhookAnswer(
  { id, shownHash }: Pick<Question, 'id' | 'shownHash'>,
  approved: boolean,
  over: Record<string, unknown> = {},
): string {
  return JSON.stringify({ type: 'approval.answer', id, shown_hash: shownHash, approved, approver: 'grace', ...over })
}

export function signedHeaders(id: string, body: string, atMs = START_MS, secret = SECRET) {
  return signWebhook(parseWebhookSecret(secret), `approval_${id}`, atMs, body)
}

/** A receiver on loopback that holds each request until the test answers it. */
export async function createReceiver() {
  const held: { body: string; headers: NodeJS.Dict<string | string[]>; response: ServerResponse }[] = []
  const waiters: (() => void)[] = []
  const server = createHttp((request, response) => {
    void text(request).then((body) => {
      held.push({ body, headers: request.headers, response })
      for (const wake of waiters.splice(0)) wake()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/approve`,
    held,
    async arrived() {
      while (held.length === 0) await new Promise<void>((resolve) => waiters.push(resolve))
      return held.at(-1)!
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export async function webhookDriver(): Promise<ChannelDriver> {
  const receiver = await createReceiver()
  const channel = createWebhookChannel({ url: receiver.url, secret: SECRET, now: () => START_MS })
  const reply = async (question: Question, body: string) => {
    const { response } = await receiver.arrived()
    if (!response.writableEnded) response.writeHead(200, signedHeaders(question.id, body)).end(body)
  }
  return {
    channel,
    answer: (question, approved) => reply(question, webhookAnswer(question, approved)),
    answerForAnother: (question) => reply(question, webhookAnswer({ ...question, shownHash: 'sha256:0' }, true)),
    break: async () => void (await receiver.arrived()).response.destroy(),
    shown: async () => void (await receiver.arrived()),
    leftovers: () => 0, // `withdraw` resolves when the request has ended
    close: receiver.close,
  }
}

/** A terminal of two pipes, and what was written to it. */
export function createFakeTerminal() {
  const opened: { input: PassThrough; screen: () => string; isOpen: () => boolean }[] = []
  const open = () => {
    const input = new PassThrough()
    const output = new PassThrough()
    let screen = ''
    let isOpen = true
    output.on('data', (part) => (screen += part))
    opened.push({ input, screen: () => screen, isOpen: () => isOpen })
    return {
      input,
      output,
      close() {
        isOpen = false
        input.destroy()
        output.end()
      },
    }
  }
  return { open, opened }
}

export async function terminalDriver(): Promise<ChannelDriver> {
  const { open, opened } = createFakeTerminal()
  const channel = createTerminalChannel({ open, approver: 'ada', code: () => '482' })
  const type = async (line: string) => void opened.at(-1)!.input.write(`${line}\n`)
  return {
    channel,
    answer: (_question, approved) => type(approved ? 'yes 482' : 'no'),
    answerForAnother: async () => {
      await type('yes 481')
      await type('yes')
      await type('y')
    },
    break: async () => void opened.at(-1)!.input.end(),
    shown: nothing,
    leftovers: () => opened.filter(({ isOpen }) => isOpen()).length,
    close: nothing,
  }
}

/** A program that tells the test how it was called, and ends as the test says. */
const FAKE = `#!${process.execPath}
const socket = require('node:net').connect(process.env.XDG_FAKE_SOCKET)
socket.write(JSON.stringify({ args: process.argv.slice(2), env: process.env, file: __filename, pid: process.pid }) + '\\n')
socket.on('data', (data) => {
  const { code, out } = JSON.parse(data)
  process.stdout.write(out ?? '', () => process.exit(code))
})
socket.on('close', () => process.exit(99))
`

export interface FakeCall {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly file: string
  readonly pid: number
  readonly socket: Socket
}

/** A PATH with one program on it. */
export async function createFakeProgram(name: string, platform: NodeJS.Platform = 'linux') {
  const dir = mkdtempSync(join(tmpdir(), 'dialog-'))
  writeFileSync(join(dir, name), FAKE, { mode: 0o755 })
  const calls: FakeCall[] = []
  const alive = new Set<Socket>()
  const waiters: (() => void)[] = []
  const server = createServer((socket) => {
    alive.add(socket)
    socket.on('error', () => {}).on('close', () => alive.delete(socket))
    socket.once('data', (data) => {
      calls.push({ ...JSON.parse(data.toString()), socket })
      for (const wake of waiters.splice(0)) wake()
    })
  })
  const address = join(dir, 's')
  await new Promise<void>((resolve) => server.listen(address, resolve))
  const env = { PATH: dir, DISPLAY: ':7', XDG_FAKE_SOCKET: address, SESSIONNAME: 'Console', AWS_SECRET_ACCESS_KEY: 'not for programs' }
  return {
    desktop: { platform, env, cwd: '/srv/place' },
    calls,
    async called() {
      while (calls.length === 0) await new Promise<void>((resolve) => waiters.push(resolve))
      return calls.at(-1)!
    },
    async end(code: number, out = '') {
      const { socket } = await this.called()
      if (!socket.destroyed) socket.write(JSON.stringify({ code, out }))
    },
    alive: () => alive.size,
    async close() {
      for (const socket of alive) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

export async function dialogDriver(): Promise<ChannelDriver> {
  const program = await createFakeProgram('zenity')
  return {
    channel: createDialogChannel({ desktop: program.desktop, approver: 'ada' }),
    answer: (_question, approved) => program.end(approved ? 0 : 1),
    answerForAnother: () => program.end(5), // carries nothing that could name a question: any other end is a failure
    break: async () => void process.kill((await program.called()).pid, 'SIGSEGV'),
    shown: async () => void (await program.called()),
    leftovers: () => program.calls.filter(({ pid }) => isAlive(pid)).length,
    close: program.close,
  }
}

export async function elicitationDriver(): Promise<ChannelDriver> {
  const asked = new Set<unknown>()
  const { channel, receive } = createElicitationChannel({
    approver: 'client',
    send(message) {
      if (message.method === 'notifications/cancelled') asked.delete((message.params as { requestId: string }).requestId)
      else asked.add(message.id)
    },
  })
  const respond = async (id: string, rest: object) => {
    receive({ jsonrpc: '2.0', id: `sworn-approval-${id}`, ...rest })
    asked.delete(`sworn-approval-${id}`)
  }
  const accept = (decision: string) => ({ result: { action: 'accept', content: { decision } } })
  return {
    channel,
    answer: ({ id }, approved) => respond(id, accept(approved ? 'approve' : 'refuse')),
    answerForAnother: () => respond(ANOTHER, accept('approve')),
    break: ({ id }) => respond(id, { error: { code: -32601, message: 'no' } }),
    shown: nothing,
    leftovers: () => asked.size,
    close: nothing,
  }
}

export async function inputRequiredDriver(): Promise<ChannelDriver> {
  const { channel, receive } = createInputRequiredChannel({ send: () => {} })
  const retry = async (id: string, callKey: string, response: unknown) =>
    void receive({ name: 'write_file', requestState: id, inputResponses: { [INPUT_KEY]: response } }, callKey)
  const accept = (decision: string) => ({ action: 'accept', content: { decision } })
  return {
    channel,
    answer: ({ id, callKey }, approved) => retry(id, callKey, accept(approved ? 'approve' : 'refuse')),
    answerForAnother: async ({ id, callKey }) => {
      await retry(id, `${callKey}0`, accept('approve'))
      await retry(ANOTHER, callKey, accept('approve'))
    },
    break: ({ id, callKey }) => retry(id, callKey, { action: 'cancel' }),
    shown: nothing,
    leftovers: () => 0, // the call was answered when it was asked
    close: nothing,
  }
}
