/** TLS and client certificates over a real listener. The certificates are made by openssl, as an operator makes them. @module */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import { openServer } from '../src/index.ts'
import { bearer, EVENT, REPORT, type Serving, serve } from './support/serving.ts'

interface Pair {
  readonly cert: string
  readonly key: string
}

describe('TLS', () => {
  let folder = ''
  let server: Pair
  let client: Pair
  let stranger: Pair
  let ca: Pair

  const make = (name: string, signedBy?: string): Pair => {
    const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)]
    const subject = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      key,
      '-out',
      cert,
    ]
    const extensions = signedBy ? ['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=CA:FALSE'] : []
    const authority = signedBy ? ['-CA', join(folder, `${signedBy}.pem`), '-CAkey', join(folder, `${signedBy}.key`)] : []
    execFileSync('openssl', ['req', '-x509', '-days', '1', ...subject, ...extensions, ...authority], { stdio: 'ignore' })
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  }
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sworn-tls-'))
    ca = make('authority')
    server = make('server', 'authority')
    client = make('billing-agent', 'authority')
    make('other-authority')
    stranger = make('stranger', 'other-authority')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** The status, or the code of the error that the connection ended with. */
  const post = (to: Serving, own: Partial<Pair>, headers: Readonly<Record<string, string>> = {}): Promise<number | string> =>
    new Promise((resolve) => {
      const options = {
        method: 'POST',
        ca: ca.cert,
        agent: false,
        ...own,
        headers: { 'content-type': 'application/json', ...headers },
      } as const
      const sent = request(`https://127.0.0.1:${to.port}/v1/events`, options, (response) => {
        void text(response).then(() => resolve(response.statusCode ?? 0))
      })
      sent.on('error', (e: NodeJS.ErrnoException) => resolve(e.code ?? 'closed'))
      sent.end(EVENT)
    })

  test('with a certificate of its own the server still asks for a token', async () => {
    const serving = await serve({ access: { tokens: [{ token: REPORT, name: 'ci', may: 'report' }], tls: server } })
    assert.match(serving.url, /^https:/)
    assert.deepEqual([await post(serving, {}), await post(serving, {}, bearer(REPORT))], [401, 200])
  })

  test('a client certificate of the named authority may report under its common name; none and a foreign one may not', async () => {
    const serving = await serve({ access: { tokens: [], tls: { ...server, clientCa: ca.cert } } })
    assert.equal(await post(serving, client), 200)
    for (const own of [{}, stranger]) assert.equal(typeof (await post(serving, own)), 'string')
    const users = (await serving.recorded()).filter(({ event_type }) => event_type === 'data_access').map(({ user }) => user)
    assert.deepEqual(users, ['billing-agent'])
  })

  test('a wrong token is refused, whatever the certificate', async () => {
    const serving = await serve({ access: { tokens: [], tls: { ...server, clientCa: ca.cert } } })
    assert.equal(await post(serving, client, bearer('wrong-token-0123456789')), 401)
  })

  test('texts that are no certificate are refused and not repeated', async () => {
    const { recorder } = await serve()
    const tls = { cert: 'SECRET', key: 'SECRET' }
    const opened = openServer({ listen: { host: '127.0.0.1', port: 0 }, access: { tokens: [], tls }, recorder })
    await assert.rejects(opened, (e) => SwornError.is(e, 'CONFIG_INVALID') && e.at === 'tls' && !e.message.includes('SECRET'))
  })
})
