/** The policy of a recorder decides about what its SDKs do, and a reload of it does so from the next call on. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { openLedger, openRecorder, SwornError } from 'sworn'
import { auditTransport, instrument, wrapTool } from 'sworn/instrument'
import { until } from '../../../testkit/src/sink-contract.ts'

const policy = (tool: string) => `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: { name: files }
spec: { allowed_tools: [${tool}] }
`

test('a policy decides about MCP calls and wrapped tools, also after it was reloaded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sworn-instrument-'))
  const [path, file] = [join(folder, 'audit'), join(folder, 'agent.yaml')]
  writeFileSync(file, policy('read'))
  const recorder = await openRecorder({ path, policy: file, user: 'alice', cwd: folder, env: { SWORN_HOME: join(folder, 'home') } })
  try {
    const { coverage, undo } = await instrument(recorder, { modules: {} })
    assert.deepEqual(coverage, [])
    const server = new Server({ name: 'files', version: '1' }, { capabilities: { tools: {} } })
    server.setRequestHandler(CallToolRequestSchema, async () => ({ content: [{ type: 'text', text: 'done' }] }))
    const client = new Client({ name: 'us', version: '1' })
    const [ours, theirs] = InMemoryTransport.createLinkedPair()
    await Promise.all([server.connect(theirs), client.connect(auditTransport(recorder, ours))])
    const write = wrapTool(recorder, 'write', async () => 'written')

    assert.match(JSON.stringify(await client.callTool({ name: 'read' })), /done/)
    assert.match(JSON.stringify(await client.callTool({ name: 'write' })), /tool_not_allowed/)
    await assert.rejects(write(), (e) => SwornError.is(e, 'ACTION_DENIED'))

    writeFileSync(`${file}.new`, policy('write'))
    renameSync(`${file}.new`, file)
    process.emit('SIGHUP') // watches are scarce on a busy machine
    await until(() => write().then(Boolean, () => false))
    assert.match(JSON.stringify(await client.callTool({ name: 'read' })), /tool_not_allowed/)
    await client.close()
    undo()
  } finally {
    await recorder.close()
  }
  const ledger = await openLedger(path)
  const denied: unknown[] = []
  for await (const { entry } of ledger.query({ decision: 'deny', tool: 'read' })) denied.push(entry.policy_name)
  assert.deepEqual(denied, ['files'])
  rmSync(folder, { recursive: true, force: true })
})
