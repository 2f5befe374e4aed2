/** Four proxies on one ledger, as a client with four wrapped servers starts them. @module */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findHolder } from '../../packages/cli/src/operator/holder.ts'
import { type Place, queryAll, sworn } from './support/cli.ts'
import { allowing, type Connected, childrenOf, connect, open, SERVERS } from './support/mcp.ts'
import { bothAccept } from './support/second.ts'
import { temporary } from './support/temporary.ts'

const mode = process.env.SWORN_TESTS
const CALLS = mode === 'full' ? 400 : mode === 'ci' ? 60 : 20

interface Agent {
  readonly name: string
  readonly proxy: Connected
  /** Marks of the calls that were answered. */
  readonly answered: string[]
  /** A call that carries its mark to the server. */
  call(mark: string): Promise<unknown>
}

async function openAgents(place: Place): Promise<Agent[]> {
  const files = join(place.cwd, 'files')
  mkdirSync(files)
  const policy = allowing(place, 'echo', 'write_file', 'search_nodes')
  const flags = ['--audit-log', join(place.cwd, 'audit'), '--quiet', ...policy]
  const wrap = async (name: string, server: string[], tool: string, input: (mark: string) => Record<string, unknown>): Promise<Agent> => {
    const proxy = await connect([...flags, '--agent', name], server, place)
    return { name, proxy, answered: [], call: (mark) => proxy.call(tool, input(mark)) }
  }
  return Promise.all([
    wrap('testkit', SERVERS.testkit(), 'echo', (words) => ({ words })),
    wrap('filesystem', SERVERS.filesystem(files), 'write_file', (mark) => ({ path: join(files, 'a.txt'), content: mark })),
    wrap('memory', SERVERS.memory(), 'search_nodes', (query) => ({ query })),
    wrap('everything', SERVERS.everything(), 'echo', (message) => ({ message })),
  ])
}

/** `count` calls, two at a time; ends early when the proxy is gone. */
async function work(agent: Agent, phase: number, count: number): Promise<void> {
  let n = 0
  const lane = async () => {
    while (n < count) {
      const mark = `mark-${agent.name}-${phase}-${n++}.`
      await agent.call(mark)
      agent.answered.push(mark)
    }
  }
  await Promise.allSettled([lane(), lane()])
}

/** Kills `victim` while all of them work; the others finish what they were asked to do. */
async function killWhileBusy(agents: readonly Agent[], victim: Agent, phase: number): Promise<void> {
  const servers = childrenOf(victim.proxy.pid)
  const half = victim.answered.length + CALLS / 2
  const done = agents.map((agent) => work(agent, phase, agent === victim ? 1_000_000 : CALLS))
  while (victim.answered.length < half) await victim.call('between')
  process.kill(victim.proxy.pid, 'SIGKILL')
  await Promise.all(done)
  for (const pid of servers) killQuietly(pid)
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // its stdin was closed, it has ended by itself
  }
}

test('four proxies share one ledger, two of them are killed while busy, the recorder among them: one chain, nothing lost or doubled', {
  timeout: 300_000,
}, async () => {
  const place: Place = { cwd: temporary(), home: temporary() }
  const ledger = join(place.cwd, 'audit')
  const agents = await openAgents(place)
  await Promise.all(agents.map((agent) => work(agent, 0, CALLS)))
  const holder = agents.find(({ proxy }) => proxy.pid === findHolder(ledger)?.pid)
  assert.ok(holder, 'one of the proxies records')
  await killWhileBusy(agents, holder, 1)
  const heirs = agents.filter((agent) => agent !== holder)
  const next = findHolder(ledger)?.pid
  assert.ok(
    heirs.some(({ proxy }) => proxy.pid === next),
    'another one took over',
  )
  const client = heirs.find(({ proxy }) => proxy.pid !== next)!
  await killWhileBusy(heirs, client, 2)
  const alive = heirs.filter((agent) => agent !== client)
  await Promise.all(alive.map(({ proxy }) => proxy.close()))
  for (const { answered } of alive) assert.equal(answered.length, 3 * CALLS)

  const verified = await sworn(['verify', ledger, '--require', 'signed', '--strict'], place)
  assert.equal(verified.code, 0, verified.out + verified.err)
  await bothAccept(ledger)
  const entries = await queryAll(ledger, place)
  const decided = entries.filter((e) => e.event_type === 'authorization_decision')
  const started = new Set(entries.flatMap((e) => (e.event_type === 'tool_call_start' ? [e.correlation_id] : [])))
  const marked = decided.flatMap((e) => {
    const mark = /mark-[\w-]+\./.exec(JSON.stringify(e.arguments))?.[0]
    return mark ? [[mark, e.correlation_id] as const] : []
  })
  const correlationOf = new Map(marked)
  assert.equal(correlationOf.size, marked.length, 'no call twice')
  assert.equal(new Set(decided.map((e) => e.correlation_id)).size, decided.length, 'one decision a call')
  assert.equal(new Set(entries.map((e) => e.event_id).filter(Boolean)).size, entries.filter((e) => e.event_id).length, 'each event once')
  for (const mark of alive.flatMap((agent) => agent.answered)) assert.ok(started.has(correlationOf.get(mark)), mark)
  for (const mark of agents.flatMap((agent) => agent.answered)) assert.ok(correlationOf.has(mark), mark)
})

test('NOT found: a call that goes around the proxy', { timeout: 120_000 }, async () => {
  const place: Place = { cwd: temporary(), home: temporary() }
  const proxy = await connect([], SERVERS.testkit(), place)
  await proxy.call('echo', { words: 'through the proxy' })
  const direct = await open(SERVERS.testkit(), place)
  assert.match(JSON.stringify(await direct.call('echo', { words: 'around the proxy' })), /around the proxy/)
  await Promise.all([proxy.close(), direct.close()])
  assert.equal((await sworn(['verify', '--require', 'signed'], place)).code, 0)
  const recorded = JSON.stringify(await queryAll('audit', place))
  assert.ok(recorded.includes('through the proxy') && !recorded.includes('around the proxy'))
})
