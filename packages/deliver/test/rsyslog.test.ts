/** The syslog sink against a real rsyslog: every event arrives and is taken apart as RFC 5424 says; said loudly where there is none. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, test } from 'node:test'
import { endWithTests } from '../../../testkit/src/children.ts'
import { append, finish, linesOf, makePlace, openAt, planOf, seqsOf, start, until } from '../../../testkit/src/sink-contract.ts'
import { later } from '../../../testkit/src/suite.ts'
import { type SyslogOptions, syslogSink } from '../src/sinks/syslog.ts'
import { certificate } from './support/certificate.ts'

const hasTls = globSync('/usr/lib/*/rsyslog/lmnsd_gtls.so').length > 0
const program = `${process.env.PATH}${delimiter}/usr/sbin`
  .split(delimiter)
  .map((folder) => join(folder, 'rsyslogd'))
  .find(existsSync)
const skip = later || (program ? false : 'NO RSYSLOG here (Debian: rsyslog): the syslog sink was not tested with it')
const skipTls = skip || (hasTls ? false : 'NO TLS in the rsyslog here (Debian: rsyslog-gnutls): the syslog sink was not tested with it')

const directory = mkdtempSync(join(tmpdir(), 'sworn-rsyslog-'))
const place = (name: string) => join(directory, name)
const tls = skip ? { key: '', cert: '' } : certificate()
let udpPort = 0

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return port
}

/** What it understood, a line a message: priority, name, id, structured data, text. */
function configuration(): string {
  const secured = `streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"`
  const input = (name: string, more = '') =>
    `input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="${place(`${name}.port`)}" ruleset="${name}" ${more})`
  return [
    `global(workDirectory="${directory}" maxMessageSize="64k" defaultNetstreamDriverCAFile="${place('cert.pem')}" defaultNetstreamDriverCertFile="${place('cert.pem')}" defaultNetstreamDriverKeyFile="${place('key.pem')}")`,
    'module(load="imudp")',
    'module(load="imtcp")',
    'template(name="parts" type="string" string="%pri%|%app-name%|%msgid%|%structured-data%|%msg%\\n")',
    ...['udp', 'tcp', 'tls'].map((name) => `ruleset(name="${name}") { action(type="omfile" file="${place(name)}" template="parts") }`),
    `input(type="imudp" address="127.0.0.1" port="${udpPort}" ruleset="udp")`,
    input('tcp'),
    ...(skipTls ? [] : [input('tls', secured)]),
    '',
  ].join('\n')
}

const portOf = (name: string) => Number(readFileSync(place(`${name}.port`), 'utf8'))

before(async () => {
  if (skip || !program) return
  udpPort = await freeUdpPort()
  writeFileSync(place('cert.pem'), tls.cert)
  writeFileSync(place('key.pem'), tls.key, { mode: 0o600 })
  writeFileSync(place('rsyslog.conf'), configuration())
  const server = endWithTests(
    spawn(program, ['-n', '-f', place('rsyslog.conf'), '-i', place('pid')], { stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  await until(() => (skipTls ? ['tcp'] : ['tcp', 'tls']).every((name) => existsSync(place(`${name}.port`)) && portOf(name) > 0))
  assert.equal(server.exitCode, null, 'rsyslog ended')
})
after(() => rmSync(directory, { recursive: true, force: true }))

const received = (name: string) => (existsSync(place(name)) ? readFileSync(place(name), 'utf8').split('\n').slice(0, -1) : [])

async function delivered(protocol: SyslogOptions['protocol'], port: number): Promise<void> {
  const { path, home } = makePlace()
  const ledger = openAt({ path, home })
  append(ledger, 0, 40, 100)
  const options: SyslogOptions = { host: '127.0.0.1', hostname: 'h', facility: 13, enterprise: 32_473, protocol, port, ca: tls.cert }
  const plan = planOf({ open: syslogSink(options) })
  await finish(start(path, ledger.info.origin, [plan]))
  append(ledger, 40, 10, 8000)
  ledger.close()
  await finish(start(path, ledger.info.origin, [plan]))
  const lines = new Map(linesOf(path).map((line) => [JSON.parse(line).seq as number, line]))
  const seqs = seqsOf(path, 'events')
  await until(() => received(protocol).length >= seqs.length)
  const parts = received(protocol).map((line) => /^(\d+)\|([^|]*)\|([^|]*)\|(\[.*?\])\|\ufeff?(.*)$/.exec(line))
  assert.deepEqual(
    parts.map((part) => Number(/ seq="(\d+)"/.exec(part?.[4] ?? '')?.[1])),
    seqs,
  )
  for (const [i, part] of parts.entries()) {
    assert.deepEqual(part?.slice(1, 4), ['110', 'sworn', 'tool_call_end'])
    assert.equal(part?.[5], lines.get(seqs[i]!))
  }
}

test('a real rsyslog holds every event, in order and byte for byte: over UDP', { skip }, () => delivered('udp', udpPort))
test('a real rsyslog holds every event, in order and byte for byte: over TCP, octets counted', { skip }, () =>
  delivered('tcp', portOf('tcp')),
)
test('a real rsyslog holds every event, in order and byte for byte: over TLS', { skip: skipTls }, () => delivered('tls', portOf('tls')))
