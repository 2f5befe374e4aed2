import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { later } from '../../../testkit/src/suite.ts'
import type { Recorded } from './support/memory-recorder.ts'
import { type Command, openClient1, openClient2, proxied, referenceServer, testServer } from './support/peers.ts'
import { common, everything, modern, play, type Script, tool } from './support/scripts.ts'

const folder = mkdtempSync(join(tmpdir(), 'sworn-peers-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Pairs of client and server that the fast suite runs; the others start too many processes. */
const FAST = ['2.x everything']

const files = join(folder, 'files')
const file = join(files, 'a.txt')

const peers: readonly { name: string; server: (run: string) => Command; script: Script }[] = [
  {
    name: 'filesystem',
    server: () => {
      rmSync(files, { recursive: true, force: true })
      mkdirSync(files, { recursive: true })
      writeFileSync(file, 'line one\nline \u2028 two — ü 𝄞\n')
      return referenceServer('filesystem', [files])
    },
    script: {
      ...common,
      read: tool('read_text_file', { path: file }),
      list: tool('list_directory', { path: files }),
      write: tool('write_file', { path: join(files, 'b.txt'), content: 'b\u2028"\\' }),
      again: tool('read_text_file', { path: join(files, 'b.txt') }),
      edit: tool('edit_file', { path: file, edits: [{ oldText: 'line one', newText: 'line 1' }] }),
      search: tool('search_files', { path: files, pattern: '*.txt' }),
      outside: tool('read_text_file', { path: '/etc/hostname' }),
      wrong: tool('read_text_file', { path: 5 }),
    },
  },
  {
    name: 'memory',
    server: (run) => referenceServer('memory', [], { MEMORY_FILE_PATH: join(folder, `${run}.jsonl`) }),
    script: {
      ...common,
      create: tool('create_entities', { entities: [{ name: 'ann', entityType: 'person', observations: ['likes ü'] }] }),
      add: tool('add_observations', { observations: [{ entityName: 'ann', contents: ['x'] }] }),
      graph: tool('read_graph'),
      search: tool('search_nodes', { query: 'ann' }),
      remove: tool('delete_entities', { entityNames: ['ann'] }),
    },
  },
  {
    name: 'everything',
    server: () => referenceServer('everything'),
    script: everything,
  },
  {
    name: 'sequential-thinking',
    server: () => referenceServer('sequential-thinking'),
    script: {
      ...common,
      think: tool('sequentialthinking', { thought: 'first', nextThoughtNeeded: true, thoughtNumber: 1, totalThoughts: 2 }),
      end: tool('sequentialthinking', { thought: 'last', nextThoughtNeeded: false, thoughtNumber: 2, totalThoughts: 2 }),
    },
  },
]

function readEvents(path: string): Recorded[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Recorded)
}

/** Every start has exactly one outcome under its correlation id. */
function checkPaired(events: readonly Recorded[]): void {
  const outcomes = events.filter(
    (e) => (e.event_type === 'tool_call_end' || e.event_type === 'tool_call_error') && e.metadata?.after_cancel !== true,
  )
  const starts = events.filter((e) => e.event_type === 'tool_call_start')
  assert.deepEqual(outcomes.map((e) => e.correlation_id).toSorted(), starts.map((e) => e.correlation_id).toSorted())
  assert.ok(starts.length > 0)
}

for (const [sdk, open] of [
  ['1.x', openClient1],
  ['2.x', openClient2],
] as const) {
  describe(`the ${sdk} client`, { concurrency: 2 }, () => {
    for (const { name, server, script } of peers) {
      const skip = !FAST.includes(`${sdk} ${name}`) && later
      it(`gets the same answers from server-${name} with and without the proxy`, { skip }, async () => {
        const events = join(folder, `${sdk}-${name}.events`)
        const direct = await play(open, server(`${sdk}-direct`), script)
        const through = await play(open, proxied(server(`${sdk}-proxied`), { EVENTS: events }), script)
        assert.deepEqual(through, direct)
        const recorded = readEvents(events)
        checkPaired(recorded)
        assert.deepEqual(
          recorded.filter((e) => e.reason_code === 'malformed_request'),
          [],
        )
        assert.equal(recorded.at(-1)?.event_type, 'session_end')
      })
    }
  })
}

describe('the 2026-07-28 era', () => {
  const open = (command: Command) => openClient2(command, 'auto')

  it('passes the same way: tools, resources, input_required, progress, cancellation', async () => {
    const events = join(folder, 'modern.events')
    const direct = await play(open, testServer(), modern)
    const through = await play(open, proxied(testServer(), { EVENTS: events }), modern)
    assert.deepEqual(through, direct)
    assert.equal(direct.version, '2026-07-28')
    assert.match(JSON.stringify(direct.deploy), /deployed to test/)
    const recorded = readEvents(events)
    const [asked, done] = recorded.filter((e) => e.event_type === 'tool_call_end' && e.tool === 'deploy')
    assert.equal(asked?.metadata?.result_type, 'input_required')
    assert.equal(done?.parent_id, asked?.correlation_id)
    assert.equal(recorded.find((e) => e.event_type === 'data_access')?.target, 'note://one')
    const echo = recorded.find((e) => e.event_type === 'tool_call_end' && e.tool === 'echo')
    assert.deepEqual([echo?.server, echo?.metadata?.server_version], ['sworn-testkit', '1.0.0'])
  })

  it('shows a denial to the model as a tool result', async () => {
    const peer = await open(proxied(testServer(), { DENY: 'deploy' }))
    const result = await peer.callTool({ name: 'deploy', arguments: { env: 'prod' } })
    await peer.close()
    assert.match(JSON.stringify(result), /Forbidden/)
    assert.match(JSON.stringify(result), /"isError":true/)
  })
})
