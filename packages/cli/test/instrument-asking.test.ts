/** An `ask` of the policy inside a program goes to the people of its configuration, and is refused where nobody is named. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { parseWebhookSecret, signWebhook } from '@sworn/govern/approvals'
import { openLedger, openRecorder } from 'sworn'
import { wrapTool } from 'sworn/instrument'
import { temporary } from './support/io.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const POLICY = `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: inside}
spec:
  allowed_tools: [send]
  tool_rules: [{tool: send, action: ask}]
`

/** Says yes to what is addressed to Ada. */
async function startPeople() {
  const server = createServer((request, response) => {
    void text(request).then((asked) => {
      const { data } = JSON.parse(asked) as { data: { id: string; shown_hash: string } }
      const { id, shown_hash } = data
      const approved = asked.includes('ada')
      const body = JSON.stringify({ type: 'approval.answer', id, shown_hash, approver: 'grace', approved })
      response.writeHead(200, { ...signWebhook(parseWebhookSecret(SECRET), `approval_${id}`, Date.now(), body) }).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  return { url: `http://127.0.0.1:${port}/`, close: () => new Promise((resolve) => server.close(resolve)) }
}

/** What became of mails to Ada and to Bob, and what was recorded. */
async function sendBoth(approvals: string) {
  const folder = temporary()
  writeFileSync(join(folder, 'agent.yaml'), POLICY)
  writeFileSync(join(folder, 'sworn.yaml'), `audit:\n  log_path: ${join(folder, 'audit')}\n  policy: agent.yaml\n${approvals}`)
  const recorder = await openRecorder({ config: join(folder, 'sworn.yaml'), cwd: folder, env: { SWORN_HOME: join(folder, 'home') } })
  const send = wrapTool(recorder, 'send', async ({ to }: { to: string }) => `sent to ${to}`)
  const ends = await Promise.all(['ada', 'bob'].map((to) => send({ to }).catch((error: Error) => error.message)))
  await recorder.close()
  const ledger = await openLedger(join(folder, 'audit'))
  const decisions: unknown[] = []
  for await (const { entry } of ledger.query({ event_type: 'authorization_decision' }))
    decisions.push([(entry.arguments as { to: string }).to, entry.decision, entry.reason_code])
  return { ends, decisions: decisions.toSorted() }
}

test('people say yes to one call and no to the other, each on record', async () => {
  const people = await startPeople()
  try {
    const { ends, decisions } = await sendBoth(`  approvals: {channels: [webhook], webhook: {url: "${people.url}", secret: "${SECRET}"}}\n`)
    assert.equal(ends[0], 'sent to ada')
    assert.match(ends[1] ?? '', /human_denied/)
    assert.deepEqual(decisions, [
      ['ada', 'allow', 'human_approved'],
      ['bob', 'deny', 'human_denied'],
    ])
  } finally {
    await people.close()
  }
})

test('where nobody is named nobody is asked', async () => {
  const { ends, decisions } = await sendBoth('')
  for (const end of ends) assert.match(end, /approval_unavailable/)
  assert.equal(decisions.length, 2)
})
