/** What `sworn install` must not do to a file of a client: lose what others wrote, change bytes, replace a link. @module */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parseJsonc } from '../src/clients/jsonc.ts'
import { sworn, temporary } from './support/io.ts'

const SERVER = '{ "mcpServers": { "a": { "command": "npx", "args": ["server"] } }'

interface Case {
  readonly args: readonly string[]
  readonly file: string
  readonly text: string
}
const cases: Readonly<Record<string, Case>> = {
  'hooks of an agent': { args: ['claude-code'], file: '.claude/settings.json', text: '{ "model": "opus"' },
  'servers of a client': { args: ['mcp-client', 'mcp.json'], file: 'mcp.json', text: SERVER },
}

for (const [what, { args, file, text }] of Object.entries(cases)) {
  const made = (content: string | Buffer) => {
    const home = temporary()
    const path = join(home, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    const run = (command: string, io: object = {}) =>
      sworn([command, ...args, ...('confirm' in io ? [] : ['--yes'])], { home, cwd: home, io })
    return { path, run, home }
  }
  /** Somebody who reads the difference while the client saves its file, and then says yes. */
  const slowly = (path: string, saved: string) => ({ canAsk: true, confirm: async () => (writeFileSync(path, saved), true) })

  test(`${what}: what the client saved while the difference was read stays, and nothing is written over it`, async () => {
    const { path, run } = made(`${text} }\n`)
    const saved = `${text}, "saved": true }\n`
    const { code, err } = await run('install', slowly(path, saved))
    assert.deepEqual([code, readFileSync(path, 'utf8')], [2, saved])
    assert.match(err, /the file was changed while the difference was shown/)
    assert.equal((await run('install')).code, 0)
    const installed = readFileSync(path, 'utf8').replace('"saved"', '"edited"')
    writeFileSync(path, installed)
    const again = installed.replace('"edited"', '"saved again"')
    assert.equal((await run('uninstall', slowly(path, again))).code, 2)
    assert.equal(readFileSync(path, 'utf8'), again)
    assert.equal((await run('uninstall')).code, 0)
    assert.match(readFileSync(path, 'utf8'), /saved again/)
  })

  test(`${what}: a folder, a pipe and a device in its place are refused, and nobody waits for what they say`, async () => {
    const { path, run } = made('')
    const places = [() => mkdirSync(path), () => execFileSync('mkfifo', [path]), () => symlinkSync('/dev/zero', path)]
    for (const put of places) {
      rmSync(path, { recursive: true })
      put()
      for (const command of ['install', 'uninstall']) {
        const { code, err } = await run(command)
        assert.equal(code, 3)
        assert.match(err, /IO_FAILED a file was expected, no folder, pipe or device/)
      }
    }
  })

  test(`${what}: where the saved original is damaged, ours is taken out by text, and the rest stays`, async () => {
    const { path, run, home } = made(`${text} }\n`)
    for (const damaged of ['{', '{}', '']) {
      writeFileSync(path, `${text} }\n`)
      assert.equal((await run('install')).code, 0)
      const saved = join(home, 'installed')
      for (const name of readdirSync(saved)) writeFileSync(join(saved, name), damaged)
      assert.deepEqual(await run('uninstall').then(({ code, err }) => [code, err]), [0, ''])
      assert.deepEqual(parseJsonc(readFileSync(path, 'utf8'), path).value, JSON.parse(`${text} }`))
    }
  })

  test(`${what}: what was put back by hand, or never written, is the original again`, async () => {
    const { path, run } = made(`${text} }\n`)
    for (const whole of [`${text} }\n`, `${text}, "more": 1 }\n`]) {
      writeFileSync(path, `${text} }\n`)
      assert.equal((await run('install')).code, 0)
      writeFileSync(path, whole)
      assert.equal((await run('install')).code, 0)
      assert.match((await run('uninstall')).out, /byte for byte/)
      assert.equal(readFileSync(path, 'utf8'), whole)
    }
  })

  test(`${what}: a file that is no UTF-8 is refused, not written back with other bytes`, async () => {
    const bytes = Buffer.concat([Buffer.from(`${text}, "name": "caf`), Buffer.from([0xe9]), Buffer.from('" }')])
    const { path, run } = made(bytes)
    const { code, err } = await run('install')
    assert.equal(code, 2)
    assert.match(err, /CONFIG_INVALID UTF-8 was expected/)
    assert.deepEqual(readFileSync(path), bytes)
  })
}

test('lines that end in CR LF are joined by such lines, and come back byte for byte', async () => {
  const home = temporary()
  const path = join(home, '.claude', 'settings.json')
  mkdirSync(dirname(path))
  for (const text of ['{\r\n  "model": "opus"\r\n}\r\n', '{\r\n}\r\n', '{ "hooks": {} }\r\n']) {
    writeFileSync(path, text)
    assert.equal((await sworn(['install', 'claude-code', '--yes'], { home, cwd: home })).code, 0)
    assert.doesNotMatch(readFileSync(path, 'utf8'), /[^\r]\n/)
    assert.match((await sworn(['uninstall', 'claude-code'], { home, cwd: home })).out, /byte for byte/)
    assert.equal(readFileSync(path, 'utf8'), text)
  }
})

test('a link that leads nowhere is refused, not replaced by a file', async () => {
  const home = temporary()
  const path = join(home, '.claude', 'settings.json')
  mkdirSync(dirname(path))
  symlinkSync('../dotfiles/settings.json', path)
  const { code, err } = await sworn(['install', 'claude-code', '--yes'], { home, cwd: home })
  assert.equal(code, 3)
  assert.match(err, /IO_FAILED a link to a file that is there was expected/)
  assert.ok(lstatSync(path).isSymbolicLink())
})
