/** What a user installs works: packed, unpacked into an empty folder, without network, on every supported Node. @module */
import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { hasPeer, installPacked } from './install.ts'

const slow = process.env.SWORN_TESTS === 'ci' || process.env.SWORN_TESTS === 'full'
const LIBRARY = `
import { openRecorder } from 'sworn'
const recorder = await openRecorder({ path: './library-audit', agent: { name: 'billing-agent' } })
await recorder.record({ event_type: 'data_access', target: 'crm.contacts', user: 'alice@example.com' })
const search = recorder.tool('search_database', async ({ query }) => [query])
await recorder.withContext({ user: 'alice@example.com', session_id: 's-1' }, () => search({ query: 'q' }))
await recorder.close()
`
const SERVE = `
import { spawn } from 'node:child_process'
const server = spawn('node_modules/.bin/sworn', ['serve', 'served', '--listen', '127.0.0.1:0'])
let said = ''
server.stderr.setEncoding('utf8').on('data', (text) => {
  const isNews = !said.includes('may govern')
  said += text
  if (isNews && said.includes('may govern')) server.kill('SIGTERM')
})
server.on('close', (code) => { process.exitCode = code ?? 1 })
`
const ECHO = `
process.stdin.setEncoding('utf8').on('data', (text) => {
  for (const line of text.split('\\n').filter(Boolean)) {
    const { id } = JSON.parse(line)
    if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'hello' }] } }))
  }
})
`

const nodes = [{ name: 'this Node', bin: resolve(process.execPath, '..') }]
if (hasPeer('node22')) nodes.push({ name: 'Node 22', bin: resolve('testkit/peers/node22/node_modules/.bin') })

describe('packed and installed', { skip: slow ? false : 'slow: set SWORN_TESTS=ci' }, () => {
  let folder = ''
  let contents: Record<string, string[]> = {}
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sworn-packed-'))
    const built = spawnSync('npm', ['run', 'build'], { encoding: 'utf8' })
    assert.equal(built.status, 0, built.stdout + built.stderr)
    contents = installPacked(folder)
    writeFileSync(join(folder, 'library.js'), LIBRARY)
    writeFileSync(join(folder, 'echo.js'), ECHO)
    writeFileSync(join(folder, 'serve.js'), SERVE)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('no source and no test is published', () => {
    for (const [name, files] of Object.entries(contents)) {
      assert.ok(
        files.some((f) => f.startsWith('dist/')),
        `${name} has a build`,
      )
      assert.deepEqual(
        files.filter((f) => f.startsWith('src/') || f.includes('test')),
        [],
        name,
      )
    }
  })

  for (const { name, bin } of nodes) {
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, NODE_OPTIONS: '' }
    const run = (command: string, args: string[], input = ''): SpawnSyncReturns<string> =>
      spawnSync(command, args, {
        cwd: folder,
        env: { ...env, SWORN_HOME: join(folder, `home-${name}`) },
        encoding: 'utf8',
        input,
        timeout: 60_000,
      })
    const sworn = join('node_modules', '.bin', 'sworn')

    test(`${name}: sworn --help`, () => {
      const { status, stdout, stderr } = run(sworn, ['--help'])
      assert.equal(status, 0, stderr)
      assert.match(stdout, /proxy/)
    })

    test(`${name}: a proxied call is answered, recorded and verified`, () => {
      rmSync(join(folder, 'audit'), { recursive: true, force: true })
      const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet","arguments":{}}}\n'
      const proxied = run(sworn, ['proxy', '--', 'node', 'echo.js'], call)
      assert.equal(proxied.status, 0, proxied.stderr)
      assert.match(proxied.stdout, /hello/)
      const verified = run(sworn, ['verify', 'audit'])
      assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    })

    test(`${name}: sworn serve listens, and ends on SIGTERM with its ledger closed`, () => {
      rmSync(join(folder, 'served'), { recursive: true, force: true })
      const served = run('node', ['serve.js'])
      assert.equal(served.status, 0, served.stderr)
      assert.equal(run(sworn, ['verify', 'served']).status, 0)
    })

    test(`${name}: the library records and the ledger verifies`, () => {
      rmSync(join(folder, 'library-audit'), { recursive: true, force: true })
      const used = run('node', ['library.js'])
      assert.equal(used.status, 0, used.stderr)
      assert.equal(run(sworn, ['verify', 'library-audit']).status, 0)
    })
  }
})
