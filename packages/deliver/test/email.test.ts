/** Mail against a real SMTP server (smtp-server) on loopback: encryption, headers, digests, replies. */
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { type Fault, type Peer, sinkContract } from '../../../testkit/src/sink-contract.ts'
import { later } from '../../../testkit/src/suite.ts'
import { type Item, probeSinks, systemClock } from '../src/index.ts'
import { type EmailOptions, emailSink } from '../src/sinks/email.ts'
import { createTemplate } from '../src/sinks/template.ts'
import { certificate } from './support/certificate.ts'

const PASSWORD = 'hunter2-hunter2'
const TLS = certificate()

interface Received {
  readonly text: string
  readonly to: readonly string[]
}

interface MailPeer {
  readonly port: number
  readonly mails: Received[]
  /** Passwords as they were heard. */
  readonly heard: string[]
  fail(fault: Fault, times: number): void
  /** Codes for those that come next: of a recipient, of a text. */
  readonly codes: { rcpt?: (address: string) => number | undefined; data?: (text: string) => number | undefined }
  close(): Promise<void>
}

const refusal = (responseCode: number) => Object.assign(new Error('the text of a reply'), { responseCode })

async function openMailPeer(options: { startTls?: boolean } = {}): Promise<MailPeer> {
  const mails: Received[] = []
  const heard: string[] = []
  const codes: MailPeer['codes'] = {}
  let armed: { fault: Fault; left: number } = { fault: 'error', left: 0 }
  const server = new SMTPServer({
    ...TLS,
    authOptional: true,
    hideSTARTTLS: options.startTls === false,
    ...(options.startTls === false && { disabledCommands: ['STARTTLS'], allowInsecureAuth: true }),
    logger: false,
    onAuth({ password = '' }, _, done) {
      heard.push(String(password))
      if (password === PASSWORD) done(null, { user: 'u' })
      else done(refusal(535))
    },
    onRcptTo({ address }, _, done) {
      const code = codes.rcpt?.(address)
      done(code === undefined ? null : refusal(code))
    },
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const fault = armed.left-- > 0 ? armed.fault : undefined
        const code = fault === 'error' ? 451 : codes.data?.(text)
        if (code !== undefined) return done(refusal(code))
        if (fault !== 'down') mails.push({ text, to: envelope.rcptTo.map(({ address }) => address) })
        if (fault === 'down' || fault === 'lost answer') return done(refusal(421)) // it also ends the connection
        return done(null)
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    heard,
    codes,
    fail: (fault, left) => {
      armed = { fault, left }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

const openAt = (port: number, options: Partial<EmailOptions> = {}, server: Partial<EmailOptions['server']> = {}) =>
  emailSink({
    server: { host: '127.0.0.1', port, tls: 'starttls', username: 'u', password: PASSWORD, ca: TLS.cert, ...server },
    from: 'sworn@example.com',
    to: ['a@example.com'],
    subject: createTemplate('{{severity}} {{tool}}'),
    body: createTemplate('seq={{seq}};'),
    origin: 'sworn.local/x',
    ...options,
  })
const itemOf = (event: Record<string, unknown>, seq = 7): Item => {
  const whole = { event_type: 'security_alert', seq, ...event } as Item['event']
  return { seq, key: `sworn.local/x/${seq}`, entryHash: 'a'.repeat(64), event: whole, body: '', line: '' }
}
const send = async (open: ReturnType<typeof emailSink>, items: readonly Item[]) =>
  (await open(undefined)).send(items, new AbortController().signal)
const probe = async (open: ReturnType<typeof emailSink>) => {
  const plan = { name: 'mail', type: 'email', open } as Parameters<typeof probeSinks>[0][number]
  return (await probeSinks([plan], { timeoutMs: 5000, clock: systemClock }))[0]!
}
/** Names of the header, and the lines of one; folded lines joined. */
function headersOf({ text }: Received): readonly (readonly [string, string])[] {
  const head = text.slice(0, text.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  return head.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)])
}
const headerOf = (mail: Received, name: string) => headersOf(mail).find(([key]) => key === name)?.[1]

sinkContract(
  'email',
  async (): Promise<Peer> => {
    const peer = await openMailPeer()
    return {
      open: openAt(peer.port),
      faults: ['down', 'error', 'lost answer'],
      fail: peer.fail,
      held: () => peer.mails.flatMap(({ text }) => [...text.matchAll(/seq=(\d+);/g)].map(([, seq]) => Number(seq))),
      drops: false,
      close: peer.close,
    }
  },
  later,
)

test('nothing of an event gets into a header but one encoded line of subject', async (t) => {
  const peer = await openMailPeer()
  t.after(peer.close)
  const hostile = 'x\r\nBcc: evil@example.com\r\n\r\nbody\u202e\0é'
  const outcome = await send(openAt(peer.port, { to: ['a@example.com', 'b@example.com'] }), [itemOf({ tool: hostile, severity: 'error' })])
  assert.equal(outcome.id, '<sworn.local/x/7@example.com>')
  const [mail] = peer.mails
  assert.deepEqual(mail!.to, ['a@example.com', 'b@example.com'])
  const names = headersOf(mail!).map(([name]) => name)
  assert.deepEqual(names.toSorted(), [
    'auto-submitted',
    'content-transfer-encoding',
    'content-type',
    'date',
    'from',
    'message-id',
    'mime-version',
    'subject',
    'to',
  ])
  assert.equal(headerOf(mail!, 'message-id'), '<sworn.local/x/7@example.com>')
  assert.match(headerOf(mail!, 'subject') ?? '', /^=\?UTF-8\?/)
  assert.match(headerOf(mail!, 'content-type') ?? '', /^text\/plain/)
})

test('the events of a batch are one mail under one Message-ID, the same at each try', async (t) => {
  const peer = await openMailPeer()
  t.after(peer.close)
  const items = [itemOf({ severity: 'error', tool: 't' }, 3), itemOf({}, 4), itemOf({}, 9)]
  for (let n = 0; n < 2; n++) await send(openAt(peer.port), items)
  assert.deepEqual(
    peer.mails.map((mail) => [headerOf(mail, 'message-id'), headerOf(mail, 'subject')]),
    Array(2).fill(['<sworn.local/x/3-9/3@example.com>', 'error t (and 2 more)']),
  )
  assert.deepEqual(peer.mails[0]!.text.match(/seq=\d+;/g), ['seq=3;', 'seq=4;', 'seq=9;'])
})

test('4xx is tried again; 5xx is parked, for a text alone, for recipients together; what is wrong with the sign-in waits', async (t) => {
  const peer = await openMailPeer()
  t.after(peer.close)
  const items = [itemOf({}, 1), itemOf({}, 2)]
  const outcomes = []
  peer.codes.data = () => 452
  outcomes.push(await send(openAt(peer.port), items))
  peer.codes.data = () => 554
  outcomes.push(await send(openAt(peer.port), items))
  delete peer.codes.data
  peer.codes.rcpt = () => 550
  outcomes.push(await send(openAt(peer.port), items))
  peer.codes.rcpt = (address) => (address.startsWith('a@') ? 550 : undefined)
  outcomes.push(await send(openAt(peer.port, { to: ['a@example.com', 'b@example.com'] }), items))
  outcomes.push(await send(openAt(peer.port, {}, { password: 'wrong' }), items))
  assert.deepEqual(outcomes, [
    { again: { indexes: [0, 1], reason: 'SMTP 452', afterMs: undefined } },
    { whole: 'SMTP 554' },
    { refused: [0, 1].map((index) => ({ index, reason: 'SMTP 550' })) },
    { id: '<sworn.local/x/1-2/2@example.com> 1 of 2 recipients' },
    { again: { indexes: [0, 1], reason: 'SMTP 535', afterMs: undefined } },
  ])
})

test('without encryption, or with a certificate that does not hold, neither mail nor password is sent', async (t) => {
  const [open, closed] = [await openMailPeer({ startTls: false }), await openMailPeer()]
  t.after(open.close)
  t.after(closed.close)
  const outcomes = [
    await send(openAt(open.port), [itemOf({})]),
    await send(openAt(closed.port, {}, { ca: undefined }), [itemOf({})]),
    await send(openAt(open.port, {}, { tls: 'tls' }), [itemOf({})]),
  ]
  for (const { again } of outcomes) assert.deepEqual(again?.indexes, [0])
  assert.deepEqual([open.mails, open.heard, closed.mails, closed.heard], [[], [], [], []])
  const plain = openAt(open.port, {}, { tls: 'none', username: undefined, password: undefined, ca: undefined })
  assert.deepEqual(await send(plain, [itemOf({})]), { id: '<sworn.local/x/7@example.com>' })
})

test('a probe signs in and sends nothing; what is wrong is said without the password', async (t) => {
  const peer = await openMailPeer()
  t.after(peer.close)
  const good = await probe(openAt(peer.port))
  assert.deepEqual([good.ok, good.detail, peer.mails], [true, 'connected, encrypted, signed in; nothing was sent', []])
  const details = []
  for (const server of [{ password: 'wr0ng-secret' }, { ca: undefined }]) details.push((await probe(openAt(peer.port, {}, server))).detail)
  assert.match(details[0]!, /^SMTP 535: user or password is not accepted/)
  assert.match(details[1]!, /CERT|ESOCKET|ETLS/)
  assert.ok(details.every((detail) => !detail.includes('secret')))
})
