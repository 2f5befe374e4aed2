/** Wrapping MCP client configurations: minimal edits, and back byte for byte. @module */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJsonc } from '../src/clients/jsonc.ts'
import { unwrapServers, wrapServers } from '../src/clients/wrap.ts'
import { sworn, temporary } from './support/io.ts'

const VSCODE = `{
  // my servers
  "servers": {
    "files": { "command": "npx", "args": ["-y", "server-filesystem", "/data"], /* keep */ "env": { "A": "b" }, },
    "bare": { "type": "stdio", "command": "my-server" },
    "remote": { "type": "http", "url": "https://example.com/mcp" },
  },
}
`

test('only command and args of stdio servers change; comments, order and spacing stay', () => {
  const { text, changed, skipped } = wrapServers(VSCODE, 'mcp.json', ['/n', '/b.js'], ['--policy', '/p.yaml'])
  assert.deepEqual(changed, ['files', 'bare'])
  assert.deepEqual(skipped, [{ name: 'remote', why: 'is not a stdio server' }])
  assert.ok(text.includes('// my servers') && text.includes('/* keep */ "env"'))
  const servers = parseJsonc(text, 'x').members!.get('servers')!.value as Record<string, { command: string; args: string[] }>
  assert.equal(servers.files!.command, '/n')
  assert.deepEqual(servers.files!.args, [
    '/b.js',
    'proxy',
    '--installed',
    '--policy',
    '/p.yaml',
    '--',
    'npx',
    '-y',
    'server-filesystem',
    '/data',
  ])
  assert.deepEqual(servers.bare!.args.slice(-2), ['--', 'my-server'])
  assert.deepEqual(wrapServers(text, 'x', ['/n'], []).changed, [])
  const back = parseJsonc(unwrapServers(text, 'x').text, 'x').members!.get('servers')!.value as typeof servers
  assert.deepEqual(back.files!.args, ['-y', 'server-filesystem', '/data'])
  assert.equal(back.bare!.command, 'my-server')
})

test('the JSONC parser reads what JSON.parse reads, with positions, and refuses the rest', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      if (/"__proto__"/.test(text)) return
      const node = parseJsonc(` ${text}\n`, 'x')
      assert.deepEqual(node.value, JSON.parse(text))
      assert.equal(` ${text}\n`.slice(node.start, node.end), text)
    }),
    { seed: 13, numRuns: 300 },
  )
  for (const [bad, at] of [
    ['{"a":1,"a":2}', 'x:1:11'],
    ['{"a" 1}', 'x:1:7'],
    ['[1 2]', 'x:1:4'],
    ['{} {}', 'x:1:4'],
    ['', 'x:1:1'],
  ] as const) {
    assert.throws(() => parseJsonc(bad, 'x'), new RegExp(`\\(at ${at}\\)`))
  }
})

test('install shows the difference, asks, and uninstall restores byte for byte', async () => {
  const cwd = temporary()
  const home = temporary()
  mkdirSync(join(cwd, '.vscode'))
  const file = join(cwd, '.vscode', 'mcp.json')
  writeFileSync(file, VSCODE, { mode: 0o640 })
  const refused = await sworn(['install', 'mcp-client', '--client', 'vscode'], { cwd, home })
  assert.equal(refused.code, 2)
  assert.match(refused.err, /pass --yes/)
  assert.match(refused.out, /^\+ .*"proxy", "--installed"/m)
  assert.equal(readFileSync(file, 'utf8'), VSCODE)
  assert.equal((await sworn(['install', 'mcp-client', '--client', 'vscode', '--yes'], { cwd, home })).code, 0)
  assert.notEqual(readFileSync(file, 'utf8'), VSCODE)
  assert.equal(statSync(file).mode & 0o777, 0o640)
  assert.equal((await sworn(['install', 'mcp-client', file, '--yes'], { cwd, home })).code, 0)
  const undone = await sworn(['uninstall', 'mcp-client', file], { cwd, home })
  assert.equal(undone.code, 0)
  assert.match(undone.out, /byte for byte/)
  assert.equal(readFileSync(file, 'utf8'), VSCODE)
})

test('a file that was edited since is unwrapped, not overwritten', async () => {
  const cwd = temporary()
  const home = temporary()
  const file = join(cwd, 'c.json')
  writeFileSync(file, '{"mcpServers":{"a":{"command":"a"}}}')
  await sworn(['install', 'mcp-client', file, '--yes'], { cwd, home })
  writeFileSync(file, readFileSync(file, 'utf8').replace('{"mcpServers"', '{"mine":1,"mcpServers"'))
  const undone = await sworn(['uninstall', 'mcp-client', file, '--yes'], { cwd, home })
  assert.equal(undone.code, 0)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { mine: 1, mcpServers: { a: { command: 'a', args: [] } } })
})

test('bad input to install and uninstall says what and where', async () => {
  const cwd = temporary()
  writeFileSync(join(cwd, 'x.json'), '{"mcpServers": [}')
  assert.match((await sworn(['install', 'mcp-client', 'x.json', '--yes'], { cwd })).err, /x\.json:1:17/)
  assert.equal((await sworn(['install', 'mcp-client', 'x.json'], { cwd })).code, 2)
  assert.equal((await sworn(['install', 'emacs'], { cwd })).code, 2)
  assert.equal((await sworn(['install', 'mcp-client', 'absent.json'], { cwd })).code, 3)
  assert.match((await sworn(['install', 'mcp-client'], { cwd })).err, /name the file/)
})
