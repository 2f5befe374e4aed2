/** `sworn proxy --url`, in a real process. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { endWithTests } from '../../../testkit/src/children.ts'
import { parseHeaders, parseListen, parseUrl } from '../src/proxying.ts'
import { sworn, temporary } from './support/io.ts'

const BIN = fileURLToPath(new URL('../src/bin.ts', import.meta.url))
const NODE = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source']
const call = (name: string) => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } })

test('addresses and header lines are read, or refused with the flag they stand at', async () => {
  assert.deepEqual(parseListen('8080'), { host: '127.0.0.1', port: 8080 })
  assert.deepEqual(parseListen('[::1]:0'), { host: '::1', port: 0 })
  assert.deepEqual(parseListen('0.0.0.0:80'), { host: '0.0.0.0', port: 80 })
  for (const bad of ['', 'host', 'host:99999', 'a b:1', 'http://a:1'])
    assert.throws(() => parseListen(bad), { code: 'USAGE', at: '--listen' })
  for (const bad of ['', 'ftp://a/', 'a/b']) assert.throws(() => parseUrl(bad), { code: 'USAGE', at: '--url' })
  assert.deepEqual(parseHeaders('# mine\nAuthorization: Bearer x\n\n'), { Authorization: 'Bearer x' })
  assert.throws(() => parseHeaders('no colon'), { code: 'USAGE', at: '--header-file' })
  for (const args of [['--listen', '1'], ['--listen', 'x y', '--', 'x'], ['--url', 'http://a/', '--', 'x'], []])
    assert.equal((await sworn(['proxy', ...args])).code, 2)
})

test('files with secrets that others can read are refused, before anything is opened', { timeout: 120_000 }, async () => {
  const cwd = temporary()
  for (const [flag, text, ...rest] of [
    ['--header-file', 'Authorization: Bearer sekret-value-0', '--url', 'http://127.0.0.1:9/'],
    ['--token-file', 'sekret-value-0123456789', '--listen', '0', '--url', 'http://127.0.0.1:9/'],
  ] as const) {
    writeFileSync(join(cwd, 'secrets'), text)
    chmodSync(join(cwd, 'secrets'), 0o640)
    const { code, err } = await sworn(['proxy', ...rest, flag, join(cwd, 'secrets')])
    assert.deepEqual([code, err.includes('0600'), err.includes(`(at ${flag})`), err.includes('sekret')], [2, true, true, false], err)
  }
})

async function openUpstream(seen: { body: string; authorization: string | undefined }[]): Promise<{ url: string; server: http.Server }> {
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      seen.push({ body, authorization: request.headers.authorization })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, server } // listens on TCP
}

function writePolicy(cwd: string): void {
  const spec = 'spec:\n  allowed_tools: [echo]\n'
  writeFileSync(join(cwd, 'p.yaml'), `apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\n${spec}`)
}

function ledgerText(cwd: string): string {
  const files = readdirSync(join(cwd, 'audit'), { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
  return files.map((f) => readFileSync(join(f.parentPath, f.name), 'latin1')).join('')
}

test('--url with --listen serves clients until a signal; a denied call stays here; no secret is in the ledger', {
  timeout: 120_000,
}, async () => {
  const [cwd, home, seen] = [temporary(), temporary(), [] as { body: string; authorization: string | undefined }[]]
  const { url, server } = await openUpstream(seen)
  writePolicy(cwd)
  const argv = [...NODE, BIN, 'proxy', '--policy', 'p.yaml', '--url', url, '--listen', '127.0.0.1:0']
  const child = endWithTests(spawn(process.execPath, argv, { cwd, env: { ...process.env, SWORN_HOME: home } }))
  let said = ''
  for await (const chunk of child.stderr) {
    said += chunk
    if (said.includes('listening on')) break
  }
  const [, address = ''] = /listening on (\S+)/.exec(said) ?? []
  const post = (name: string) =>
    fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sekret-value-1' },
      body: call(name),
    }).then((answer) => answer.text())
  assert.match(await post('echo'), /"content"/)
  assert.match(await post('rm'), /-32001/)
  assert.deepEqual(seen, [{ body: call('echo'), authorization: 'Bearer sekret-value-1' }])
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  server.closeAllConnections()
  server.close()
  assert.equal(code, 0)
  assert.equal((await sworn(['verify', join(cwd, 'audit'), '--require', 'chain'])).code, 0)
  assert.match(ledgerText(cwd), /"decision":"deny"/)
  assert.doesNotMatch(ledgerText(cwd), /sekret-value/)
})

test('--url alone serves a client that speaks stdio, with header fields from a file', { timeout: 120_000 }, async () => {
  const [cwd, home, seen] = [temporary(), temporary(), [] as { body: string; authorization: string | undefined }[]]
  const { url, server } = await openUpstream(seen)
  writePolicy(cwd)
  writeFileSync(join(cwd, 'h'), 'Authorization: Bearer sekret-value-2\n')
  chmodSync(join(cwd, 'h'), 0o600)
  const argv = [...NODE, BIN, 'proxy', '--policy', 'p.yaml', '--url', url, '--header-file', 'h']
  const child = endWithTests(spawn(process.execPath, argv, { cwd, env: { ...process.env, SWORN_HOME: home } }))
  child.stdin.write(`${call('echo')}\n`)
  let out = ''
  for await (const chunk of child.stdout) {
    out += chunk
    if (out.includes('\n')) break
  }
  child.stdin.end()
  const [code] = await once(child, 'exit')
  server.closeAllConnections()
  server.close()
  assert.deepEqual([code, out], [0, '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}\n'])
  assert.deepEqual(seen, [{ body: call('echo'), authorization: 'Bearer sekret-value-2' }])
  assert.doesNotMatch(ledgerText(cwd), /sekret-value/)
})
