/** `sworn install AGENT`: hooks in the client's own configuration, and out again. @module */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { findHookClient } from '@sworn/proxy/hooks'
import fc from 'fast-check'
import { codexHook } from '../src/agents/codex-trust.ts'
import { formatCommand } from '../src/agents/command-line.ts'
import { addHooks, findHooks, removeHooks } from '../src/agents/edit.ts'
import { markOf } from '../src/agents/mark.ts'
import { AGENTS, findAgentSetup } from '../src/agents/setups.ts'
import { parseJsonc } from '../src/clients/jsonc.ts'
import { sworn, temporary } from './support/io.ts'

const MINE = `{
    // keep me
    "model": "opus", /* and me */
    "hooks": {
        "PreToolUse": [
            { "matcher": "Bash", "hooks": [{ "type": "command", "command": "mine.sh" }] }, // trailing comma
        ],
    },
}
`
/** The file of this user, from what the setup says. */
function fileOf(agent: string, home: string): string {
  const where = { platform: 'linux', env: {}, homeDirectory: home, cwd: home } as const
  return findAgentSetup(agent)!.files(where).user!
}

/** Those whose hooks stand among those of others. */
const LISTED = AGENTS.filter((agent) => !['opencode', 'pi'].includes(agent))

for (const agent of LISTED) {
  const events = Object.keys(findHookClient(agent)!.events)

  test(`${agent}: every hook is installed, twice changes nothing, and what was there comes back byte for byte`, async () => {
    const [home, cwd] = [temporary(), temporary()]
    const file = fileOf(agent, home)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, MINE, { mode: 0o640 })
    const installed = await sworn(['install', agent, '--yes'], { home, cwd })
    assert.equal(installed.code, 0, installed.err)
    const text = readFileSync(file, 'utf8')
    assert.deepEqual(findHooks(text, file, agent, events), events)
    assert.ok(text.includes('// keep me') && text.includes('/* and me */') && text.includes('mine.sh'))
    assert.equal(statSync(file).mode & 0o777, 0o640)
    assert.match((await sworn(['install', agent, '--yes'], { home, cwd })).err, /nothing to change/)
    assert.equal(readFileSync(file, 'utf8'), text)
    assert.match((await sworn(['install', agent, '--yes', '--audit-log', 'elsewhere'], { home, cwd })).out, /elsewhere/)
    assert.match((await sworn(['uninstall', agent], { home, cwd })).out, /byte for byte/)
    assert.equal(readFileSync(file, 'utf8'), MINE)
    assert.match((await sworn(['uninstall', agent], { home, cwd })).err, /nothing to change/)
  })

  test(`${agent}: a file that was not there is made for this user alone, and goes again`, async () => {
    const [home, cwd] = [temporary(), temporary()]
    const file = fileOf(agent, home)
    assert.equal((await sworn(['install', agent, '--yes'], { home, cwd })).code, 0)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const value = JSON.parse(readFileSync(file, 'utf8'))
    assert.deepEqual(Object.keys(value.hooks), events)
    assert.equal((await sworn(['uninstall', agent], { home, cwd })).code, 0)
    assert.equal(existsSync(file), false)
  })

  test(`${agent}: of a file that was edited since exactly our entries are taken out`, async () => {
    const [home, cwd] = [temporary(), temporary()]
    const file = fileOf(agent, home)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, MINE)
    await sworn(['install', agent, '--yes'], { home, cwd })
    writeFileSync(file, readFileSync(file, 'utf8').replace('// keep me', '// changed'))
    const undone = await sworn(['uninstall', agent, '--yes'], { home, cwd })
    assert.equal(undone.code, 0, undone.err)
    assert.equal(readFileSync(file, 'utf8'), MINE.replace('// keep me', '// changed'))
  })
}

for (const agent of ['opencode', 'pi']) {
  test(`${agent}: its plugin is a file of ours, written for this user alone, and goes again, edited or not`, async () => {
    const [home, cwd] = [temporary(), temporary()]
    const file = fileOf(agent, home)
    assert.equal((await sworn(['install', agent, '--yes'], { home, cwd })).code, 0)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.match((await sworn(['install', agent, '--yes'], { home, cwd })).err, /nothing to change/)
    assert.match((await sworn(['doctor'], { home, cwd })).out, new RegExp(`ok +${agent} +recorded`))
    writeFileSync(file, `${readFileSync(file, 'utf8')}// mine\n`)
    assert.equal((await sworn(['uninstall', agent, '--yes'], { home, cwd })).code, 0)
    assert.equal(existsSync(file), false)
    await sworn(['install', agent, '--yes'], { home, cwd })
    assert.match((await sworn(['uninstall', agent], { home, cwd })).out, /which was not there before/)
    assert.equal(existsSync(file), false)
  })
}

for (const agent of ['opencode', 'pi']) {
  test(`${agent}: a plugin of somebody else under the name of ours is left alone`, async () => {
    const home = temporary()
    const file = fileOf(agent, home)
    const theirs = 'export const Theirs = 1\n'
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, theirs)
    const { code, err } = await sworn(['install', agent, '--yes'], { home, cwd: home })
    assert.equal(code, 2)
    assert.match(err, /CONFIG_INVALID a plugin that sworn wrote, or no file, was expected/)
    assert.equal((await sworn(['uninstall', agent, '--yes'], { home, cwd: home })).code, 0)
    assert.equal(readFileSync(file, 'utf8'), theirs)
  })
}

test('hooks of ours that stood there before sworn knew of them are no original that comes back', async () => {
  const home = temporary()
  const file = fileOf('claude-code', home)
  assert.equal((await sworn(['install', 'claude-code', '--yes'], { home, cwd: home })).code, 0)
  rmSync(join(home, 'installed'), { recursive: true }) // another state directory
  assert.equal((await sworn(['install', 'claude-code', '--yes', '--audit-log', 'elsewhere'], { home, cwd: home })).code, 0)
  assert.equal((await sworn(['uninstall', 'claude-code', '--yes'], { home, cwd: home })).code, 0)
  assert.doesNotMatch(readFileSync(file, 'utf8'), /--installed/)
})

test("a project's file names sworn by its name and no path of this machine; a user's one names a ledger of the user", async () => {
  const [home, cwd] = [temporary(), temporary()]
  const { err } = await sworn(['install', 'claude-code', '--scope', 'project', '--policy', 'agent.yaml', '--yes'], { home, cwd })
  assert.match(err, /needs `sworn` on the PATH/)
  const shared = readFileSync(join(cwd, '.claude', 'settings.json'), 'utf8')
  assert.ok(shared.includes('"sworn hook claude-code PreToolUse --installed --policy agent.yaml || '))
  assert.ok(!shared.includes(home) && !shared.includes(cwd))
  await sworn(['install', 'claude-code', '--yes'], { home, cwd })
  const own = readFileSync(fileOf('claude-code', home), 'utf8')
  assert.ok(own.includes(`/opt/sworn/bin.js hook claude-code Stop --installed --audit-log ${join(home, 'coding-agents')}`))
})

test('a hook that decides is installed so that its failure refuses, where the client has a word for it', async () => {
  const { form } = findAgentSetup('claude-code')!
  const { hooks } = JSON.parse(form.put('', 'f', { start: ['sworn'], flags: [], platform: 'linux' }).text)
  assert.deepEqual([hooks.PreToolUse[0].hooks[0].onFailure, hooks.Stop[0].hooks[0].onFailure], ['block', undefined])
  const cursor = JSON.parse(findAgentSetup('cursor')!.form.put('', 'f', { start: ['sworn'], flags: [], platform: 'linux' }).text)
  assert.deepEqual([cursor.hooks.preToolUse[0].failClosed, cursor.hooks.stop[0].failClosed], [true, undefined])
})

test('a command line is the words that it was made from, in a shell', () => {
  const odd = ['/a b/node', "it's", '"x"', '$HOME', '`id`', 'a;b', '\\', '*', '', '--flag=ü', '!x', '#', '~']
  const random = fc.sample(
    fc.string({ unit: 'grapheme', maxLength: 12 }).filter((word) => !/[\n\r\0]/.test(word)),
    { numRuns: 100, seed: 7 },
  )
  const words = [...odd, ...random]
  const printed = execFileSync('sh', ['-c', `printf '%s\\n' ${formatCommand(words, 'linux').sh}`], { encoding: 'utf8' })
  assert.deepEqual(printed.split('\n').slice(0, -1), words)
  assert.throws(() => formatCommand(['a\nb'], 'linux'), RangeError)
})

test('what is no answer refuses: a command that is gone, was killed or failed, and not one that says to go on', () => {
  const ways = [
    ['true', 0],
    ['sh -c "exit 3"', 0],
    ['sh -c "exit 1"', 2],
    ['sh -c "exit 2"', 2],
    ['/nonexistent/sworn', 2],
    ["sh -c 'kill -9 $$'", 2],
  ] as const
  const { orElse } = formatCommand(['CMD'], 'linux')
  for (const [command, code] of ways) {
    const ran = spawnSync('sh', ['-c', orElse('exit 2').replace('CMD', () => command)], { stdio: 'ignore' })
    assert.equal(ran.status, code, command)
  }
  const { form } = findAgentSetup('copilot')!
  const { hooks } = JSON.parse(form.put('', 'f', { start: ['/nonexistent/sworn'], flags: [], platform: 'linux' }).text)
  const silent = spawnSync('bash', ['-c', hooks.preToolUse[0].bash], { encoding: 'utf8' })
  assert.deepEqual([silent.status, JSON.parse(silent.stdout).permissionDecision], [0, 'deny'])
  assert.equal(formatCommand(['sworn'], 'win32').orElse('exit 2'), 'sworn')
})

const hooks = (command: string) =>
  ['A', 'B'].map((event) => ({ event, entry: { hooks: [{ type: 'command', command: `${command} ${markOf('codex', event)}` }] } }))
const groups = fc.dictionary(
  fc.constantFrom('A', 'B', 'C'),
  fc.array(fc.record({ matcher: fc.string(), hooks: fc.array(fc.record({ command: fc.string() }), { minLength: 1 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
)
const settings = fc
  .record({
    hooks: fc.option(
      groups.filter((found) => Object.keys(found).length > 0),
      { nil: undefined },
    ),
    other: fc.jsonValue(),
  })
  .map((value) => JSON.parse(JSON.stringify(value)))

test('whatever the file says: in and out again leaves the same value, in twice is in once, another command replaces ours', () => {
  fc.assert(
    fc.property(settings, fc.constantFrom(0, 2, '\t'), (value, space) => {
      const text = JSON.stringify(value, null, space)
      const once = addHooks(text, 'f', 'codex', hooks('x'))
      assert.deepEqual(findHooks(once.text, 'f', 'codex', ['A', 'B', 'C']), ['A', 'B'])
      assert.deepEqual(addHooks(once.text, 'f', 'codex', hooks('x')), { text: once.text, changed: [] })
      const moved = addHooks(once.text, 'f', 'codex', hooks('y'))
      assert.deepEqual([moved.changed, moved.text.split('--installed').length], [['A', 'B'], 3])
      assert.deepEqual(parseJsonc(removeHooks(moved.text, 'f', 'codex', ['A', 'B', 'C']).text, 'f').value, value)
    }),
    { numRuns: 200, seed: 7 },
  )
})

test('a hook of ours that a person moved into a group of theirs is taken out alone', () => {
  const ours = { command: `sworn ${markOf('codex', 'A')}` }
  const text = JSON.stringify({ hooks: { A: [{ matcher: 'x', hooks: [{ command: 'mine' }, ours] }] } }, null, 2)
  const { text: left } = removeHooks(text, 'f', 'codex', ['A'])
  assert.deepEqual(JSON.parse(left), { hooks: { A: [{ matcher: 'x', hooks: [{ command: 'mine' }] }] } })
})

/** What Codex writes when its user trusts our hooks; `except` is switched off. */
function trustAll(file: string, except?: string): void {
  const root = parseJsonc(readFileSync(file, 'utf8'), file)
  const tables = Object.keys(root.members!.get('hooks')!.value as object).map((event) => {
    const { key, hash } = codexHook(root, file, event, markOf('codex', event))!
    return `[hooks.state.${JSON.stringify(key)}]\ntrusted_hash = "${hash}"\n${event === except ? 'enabled = false\n' : ''}`
  })
  writeFileSync(join(dirname(file), 'config.toml'), `model = "m"\n\n[hooks.state]\n\n${tables.join('\n')}`)
}

test('doctor says which agents are recorded, and which are not whole', async () => {
  const [home, cwd] = [temporary(), temporary()]
  const look = async () => (await sworn(['doctor', '--json'], { home, cwd })).out
  const detailOf = (out: string) =>
    JSON.parse(out).checks.find(({ what }: { what: string }) => what === 'codex') as { ok: boolean; detail: string } | undefined
  assert.equal(detailOf(await look()), undefined)
  mkdirSync(join(home, '.codex'))
  assert.match(detailOf(await look())!.detail, /not recorded; `sworn install codex`/)
  await sworn(['install', 'codex', '--yes'], { home, cwd })
  assert.match(detailOf(await look())!.detail, /^installed in .*, not trusted yet, so they are skipped; open the client and type \/hooks$/)
  assert.equal(detailOf(await look())!.ok, false)
  const file = fileOf('codex', home)
  trustAll(file)
  assert.match(detailOf(await look())!.detail, /^recorded: 10 hooks in /)
  assert.equal((await sworn(['install', 'codex', '--audit-log', 'elsewhere', '--yes'], { home, cwd })).code, 0)
  assert.match(detailOf(await look())!.detail, /, not trusted yet, /)
  trustAll(file, 'Stop')
  assert.match(detailOf(await look())!.detail, /, Stop not trusted as they are now, so they are skipped/)
  trustAll(file)
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('codex Stop', 'codex Stopp'))
  assert.match(detailOf(await look())!.detail, /no hook for Stop in /)
  writeFileSync(file, '{')
  assert.deepEqual(detailOf(await look())?.ok, false)
})

test('a scope that a client has and sworn does not write is refused with the reason, and with the scopes there are', async () => {
  const place = { home: temporary(), cwd: temporary() }
  for (const [agent, reason] of [
    ['codex', /Codex takes managed hooks from .*requirements\.toml.*; it has user, project/],
    ['copilot', /GitHub Copilot CLI has no file that can be written for the scope managed; it has user, project/],
  ] as const) {
    const { code, err } = await sworn(['install', agent, '--scope', 'managed', '--yes'], place)
    assert.equal(code, 2)
    assert.match(err, reason)
  }
})
