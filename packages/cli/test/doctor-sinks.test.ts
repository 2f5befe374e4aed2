/** `sworn doctor` asks the sinks, shows no secret; alerts reach people as docs/guides/alerts.md says. @module */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import { later } from '../../../testkit/src/suite.ts'
import { certificate } from '../../deliver/test/support/certificate.ts'
import { openHttpPeer } from '../../deliver/test/support/http-peer.ts'
import { openRecorder } from '../src/library.ts'
import { sworn, temporary } from './support/io.ts'

const SECRET = 'hunter2-hunter2'

function configured(yaml: string) {
  const place = { cwd: temporary(), home: temporary() }
  writeFileSync(join(place.cwd, 'sworn.yaml'), yaml)
  const run = (...argv: string[]) =>
    sworn(argv, { ...place, io: { env: { SWORN_HOME: place.home, SWORN_CONFIG: join(place.cwd, 'sworn.yaml') } } })
  return { ...place, run }
}

/** A port of loopback where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

test('doctor asks every sink for real: a line each, exit 1 when one would not take an entry, no secret in it', async (t) => {
  const slack = await openHttpPeer({ accept: () => ({ status: 400, body: 'no_text' }) })
  const hook = await openHttpPeer({ accept: () => ({ status: 401, body: SECRET }) })
  t.after(slack.close)
  t.after(hook.close)
  const good = [`{type: jsonl, path: copy/audit.jsonl}`, `{type: slack, webhook_url: "${slack.url}services/${SECRET}"}`]
  const bad = [
    `{type: webhook, url: "${hook.url}", headers: {authorization: ${SECRET}}}`,
    `{type: nats, url: "127.0.0.1:${await closedPort()}", token: ${SECRET}}`,
    `{type: postgres, name: pg, connection: "postgres://u:${SECRET}@127.0.0.1:${await closedPort()}/x"}`,
  ]
  const fine = configured(`audit:\n  sinks: [${good.join(', ')}]\n`)
  const first = await fine.run('doctor')
  assert.equal(first.code, 0, first.out + first.err)
  assert.match(first.out, /^ok +sink jsonl +written, read back and removed$/m)
  assert.match(first.out, /^ok +sink slack +the webhook is there; nothing was posted$/m)
  assert.deepEqual(readdirSync(fine.cwd), ['sworn.yaml'], 'asking makes no ledger, no folder and no file')
  const wrong = configured(`audit:\n  sinks: [${[...good, ...bad].join(', ')}]\n`)
  const second = await wrong.run('doctor')
  assert.equal(second.code, 1)
  assert.match(second.out, /^WRONG +sink webhook +HTTP 401: the credentials are not accepted; correct them$/m)
  assert.match(second.out, /^WRONG +sink nats +\S/m)
  assert.match(second.out, /^WRONG +sink pg \(postgres\) +ECONNREFUSED: nobody listens there/m)
  assert.equal(second.out.match(/^(ok|WRONG) +sink /gm)?.length, 5)
  const { checks } = JSON.parse((await wrong.run('doctor', '--json')).out)
  assert.equal(checks.filter(({ what, ok }: { what: string; ok: boolean }) => what.startsWith('sink ') && !ok).length, 3)
  assert.ok(!`${second.out}${second.err}${JSON.stringify(checks)}`.includes(SECRET))
})

test('doctor --config says that a secret is set and never which', async () => {
  const sinks = [
    `{type: splunk, url: "https://s.example", token: ${SECRET}}`,
    `{type: slack, webhook_url: "https://slack.example/${SECRET}"}`,
    `{type: pagerduty, routing_key: ${SECRET}}`,
    `{type: email, host: h, username: u, password: ${SECRET}, from: a@example.com, to: [b@example.com]}`,
    `{type: webhook, url: "https://w.example", secret: ${SECRET}, headers: {authorization: ${SECRET}}}`,
    `{type: postgres, connection: "postgres://u:${SECRET}@h/x"}`,
    `{type: nats, url: "nats://u:${SECRET}@h"}`,
  ]
  const place = configured(
    `audit:\n  approvals: {webhook: {url: "https://u:${SECRET}@a.example", secret: ${SECRET}}}\n  destinations: [{type: siem, endpoint: "https://s.example", api_key: ${SECRET}}]\n  sinks: [${sinks.join(', ')}]\n`,
  )
  for (const flags of [[], ['--json']]) {
    const { out, code, err } = await place.run('doctor', '--config', ...flags)
    assert.equal(code, 0, err)
    assert.ok(!out.includes(SECRET), out)
    assert.ok(out.includes('(hidden)'))
  }
  const { out } = await place.run('doctor', '--config', '--json')
  assert.equal(JSON.parse(out).values.sinks.length, sinks.length)
})

test('a template that is none, and a sink whose secret is not there, are said with their place before anything is asked', async () => {
  const bad = configured('audit:\n  sinks: [{type: slack, webhook_url: "https://slack.example/x", body: "{{tool"}]\n')
  const ran = await bad.run('doctor')
  assert.equal(ran.code, 2)
  assert.match(ran.err, /^error: CONFIG_INVALID .*placeholders like \{\{tool\}\}.*audit\.sinks\.0\.body/)
  const missing = configured('audit:\n  sinks: [{type: pagerduty, routing_key_file: ./nothing}]\n')
  const { code, out } = await missing.run('doctor')
  assert.equal(code, 1)
  assert.match(out, /^WRONG +sinks +CONFIG_INVALID the file of the secret does not exist/m)
})

async function openMailServer(tls: ReturnType<typeof certificate>) {
  const mails: string[] = []
  const server = new SMTPServer({
    ...tls,
    logger: false,
    onAuth: ({ password }, _, done) => done(null, password === SECRET ? { user: 'sworn' } : {}),
    onData(stream, _, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
      stream.on('end', () => {
        mails.push(Buffer.concat(chunks).toString('utf8'))
        done(null)
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.server.address() as AddressInfo
  return { mails, port, close: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

test("an alert reaches Slack, PagerDuty and a mailbox with the guide's own configuration", { skip: later, timeout: 120_000 }, async (t) => {
  const tls = certificate()
  const mail = await openMailServer(tls)
  const slack = await openHttpPeer({ accept: () => ({ body: 'ok' }) })
  const pager = await openHttpPeer({ accept: () => ({ status: 202, body: '{"status":"success"}' }) })
  for (const { close } of [mail, slack, pager]) t.after(close)
  const files = temporary()
  const write = (name: string, text: string) => {
    writeFileSync(join(files, name), text, { mode: 0o600 })
    return join(files, name)
  }
  const guide = readFileSync(new URL('../../../docs/guides/alerts.md', import.meta.url), 'utf8')
  const [, fence = ''] = /## People[\s\S]*?```yaml\n([\s\S]*?)```/.exec(guide) ?? []
  const yaml = fence
    .replace('/etc/sworn/slack-webhook', write('slack', `${slack.url}services/x\n`))
    .replace('/etc/sworn/smtp-password', write('password', SECRET))
    .replace('${PAGERDUTY_ROUTING_KEY}', `${'r'.repeat(32)}\n      url: ${pager.url}`)
    .replace('smtp.example.com', `127.0.0.1\n      port: ${mail.port}\n      ca_file: ${write('ca.pem', tls.cert)}`)
  const place = configured(yaml)
  const recorder = await openRecorder({ cwd: place.cwd, config: 'sworn.yaml', env: { SWORN_HOME: place.home } })
  t.after(() => recorder.close())
  const denial = { event_type: 'authorization_decision', decision: 'deny', tool: 'rm <!channel>', agent_id: 'a"b' } as const
  for (let n = 0; n < 11; n++) await recorder.record(denial)
  const isTold = () => slack.taken.length > 0 && pager.taken.length > 0 && mail.mails.length > 0
  for (const end = performance.now() + 60_000; !isTold() && performance.now() < end; ) await wait(20)
  await recorder.close()
  const [message] = slack.taken.map(({ body }) => JSON.parse(body))
  assert.match(message.blocks[0].text.text, /^\*error: denial_spike\*\ndenial_spike: 11 events in 5m, more than 10 /)
  const alert = JSON.parse(pager.taken[0]!.body)
  assert.match(alert.dedup_key, /^denial_spike \{"agent/)
  assert.equal(alert.payload.severity, 'error')
  assert.match(mail.mails[0]!, /\r\n\r\ndenial_spike: 11 events in 5m, more than 10 .*\r\nwho: \{"agent":.*\r\nentries: \d+ to \d+\r\n/)
  assert.equal(slack.taken.length + pager.taken.length + mail.mails.length, 3, 'nothing but the alert is told to people')
})
