/** Configuration and policy change while the ledger is open: validated first, recorded, or refused by name. @module */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { signPolicyText } from '@sworn/govern/policy'
import type { Action } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { later } from '../../../testkit/src/suite.ts'
import type { HangupSource } from '../src/follow.ts'
import { createLiveConfig, type LiveParts } from '../src/live-config.ts'
import { type Opened, openAll } from '../src/open-recorder.ts'
import { temporary } from './support/io.ts'
import { SWORN, startProcess } from './support/process.ts'

const DEMO_SERVER = fileURLToPath(new URL('../src/demo/server.ts', import.meta.url))

const policy = (tools: string, name = 'p') =>
  `apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: ${name}}\nspec:\n  allowed_tools: [${tools}]\n`

interface Running {
  readonly cwd: string
  readonly opened: Opened
  readonly said: string[]
  /** Writes a file beside and renames it into place, then waits until the reload is over. */
  save(name: string, text: string): Promise<void>
  remove(name: string): Promise<void>
  hangUp(): Promise<void>
  /** All entries of the ledger so far. */
  entries(): Record<string, unknown>[]
  close(): Promise<void>
}

/** A recorder in a folder with `sworn.yaml` (given as --config, so trusted) and `agent.yaml`. */
async function start(config: string, rules: string | undefined, file = './audit.jsonl'): Promise<Running> {
  const cwd = temporary()
  writeFileSync(join(cwd, 'sworn.yaml'), config)
  if (rules !== undefined) writeFileSync(join(cwd, 'agent.yaml'), rules)
  const signals: HangupSource & EventEmitter = new EventEmitter()
  const said: string[] = []
  let speak: (name: string) => void = () => {}
  const waiting: (() => void)[] = []
  const settle = () => {
    for (const done of waiting.splice(0)) done()
  }
  const opened = await openAll(
    { cwd, config: 'sworn.yaml', path: file, env: { SWORN_HOME: join(cwd, '.home') } },
    {
      signals,
      say(level, text) {
        said.push(`${level} ${text}`)
        if (/^configuration read again/.test(text)) settle()
      },
      watch: {
        watch(directory, listener) {
          if (directory === cwd) speak = listener
          return { close() {} }
        },
        after(_ms, run) {
          queueMicrotask(run)
          return () => {}
        },
      },
    },
  )
  const outcome = () => new Promise<void>((resolve) => waiting.push(resolve))
  const ledger = join(cwd, file)
  return {
    cwd,
    opened,
    said,
    async save(name, text) {
      writeFileSync(join(cwd, `${name}.tmp`), text)
      renameSync(join(cwd, `${name}.tmp`), join(cwd, name))
      const over = outcome()
      speak(name)
      await over
      await opened.recorder.flush()
    },
    async remove(name) {
      rmSync(join(cwd, name))
      const over = outcome()
      speak(name)
      await over
      await opened.recorder.flush()
    },
    async hangUp() {
      const over = outcome()
      signals.emit('SIGHUP')
      await over
      await opened.recorder.flush()
    },
    entries() {
      const lines = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [])
      return [...lines(`${ledger}.1`), ...lines(ledger)].map((line) => JSON.parse(line))
    },
    close: () => opened.recorder.close(),
  }
}

const call = (name: string): Action => ({ kind: 'tool', name, ids: { call: 'c' } })
const decide = async (running: Running, tool: string) => (await running.opened.gate.judge(call(tool))).decision
const reloads = (running: Running) => running.entries().filter((entry) => String(entry.event_type).startsWith('config_reload'))
const CONFIG = 'audit:\n  policy: agent.yaml\n'

test('what is in force at the start is the first record: files, hashes and where each key came from, no values', async () => {
  const running = await start('audit:\n  policy: agent.yaml\n  user: somebody\n', policy('read'))
  await running.opened.recorder.record({ event_type: 'data_access', target: 'a' }, { level: 'sync' })
  const [first, second] = running.entries().filter((entry) => !String(entry.event_type).startsWith('log.'))
  assert.deepEqual([first?.event_type, second?.event_type], ['config_loaded', 'data_access'])
  assert.equal(first?.policy_hash, running.opened.gate.policy.hash)
  const metadata = first?.metadata as Record<string, never>
  const [file] = running.opened.config.files
  assert.deepEqual(metadata.source, [{ path: file!.path, sha256: file!.hash, trusted: true }])
  assert.deepEqual(metadata.origin, { policy: 'project', user: 'project', log_path: 'flag' })
  await running.close()
})

test('where no file and no policy is loaded nothing is recorded of it', async () => {
  const cwd = temporary()
  const opened = await openAll({ cwd, env: { SWORN_HOME: join(cwd, '.home') } }, { signals: new EventEmitter(), say: () => {} })
  assert.equal(((await opened.recorder.record({ event_type: 'data_access', target: 'a' }, { level: 'sync' })) as { seq: number }).seq, 2)
  await opened.recorder.close()
})

test('a recorder whose policy cannot be read is not opened, and lets go of its ledger for the next', async () => {
  const cwd = temporary()
  mkdirSync(join(cwd, 'agent.yaml')) // a file that the user may not read ends the same way
  const signals = new EventEmitter()
  const options = { cwd, path: 'audit', env: { SWORN_HOME: join(cwd, '.home') } }
  const lock = join(cwd, 'audit', 'log.lock')
  await assert.rejects(openAll({ ...options, policy: 'agent.yaml' }, { signals, say: () => {} }), { code: 'IO_FAILED' })
  assert.deepEqual([existsSync(lock), signals.listenerCount('SIGHUP')], [false, 0])
  const opened = await openAll(options, { signals, say: () => {} })
  assert.deepEqual([existsSync(lock), signals.listenerCount('SIGHUP')], [true, 1])
  await opened.recorder.close()
})

describe('a policy that is saved while calls are judged', { timeout: 120_000 }, () => {
  test('comes into force between two calls; names and hashes are recorded before it does', async () => {
    const running = await start(CONFIG, policy('read'))
    const { gate } = running.opened // what a call that is under way holds
    const before = gate.policy.hash
    assert.deepEqual([await decide(running, 'read'), await decide(running, 'write')], ['allow', 'deny'])
    await running.save('agent.yaml', policy('write', 'q'))
    assert.deepEqual([await decide(running, 'read'), await decide(running, 'write')], ['deny', 'allow'])
    assert.equal((await gate.judge(call('read'))).decision, 'allow')
    const [event] = reloads(running)
    assert.equal(event!.event_type, 'config_reloaded')
    assert.equal(event!.policy_name, 'q')
    assert.equal(event!.policy_hash, running.opened.gate.policy.hash)
    assert.deepEqual((event!.metadata as Record<string, unknown>).diff, ['policy'])
    assert.equal((event!.metadata as Record<string, unknown>).policy_hash_before, before)
    await running.close()
  })

  for (const [what, change] of [
    ['became invalid', (running: Running) => running.save('agent.yaml', 'kind: Nonsense\n')],
    ['became empty', (running: Running) => running.save('agent.yaml', '')],
    ['vanished', (running: Running) => running.remove('agent.yaml')],
  ] as const) {
    test(`that ${what} changes nothing: the old one stays, and that is recorded and said`, async () => {
      const running = await start(CONFIG, policy('read'))
      const { gate } = running.opened
      await change(running)
      assert.equal(running.opened.gate, gate)
      assert.deepEqual([await decide(running, 'read'), await decide(running, 'write')], ['allow', 'deny'])
      const [event] = reloads(running)
      assert.equal(event!.event_type, 'config_reload_failed')
      assert.equal(event!.policy_hash, gate.policy.hash)
      assert.match(String(event!.reason), /^POLICY_INVALID /)
      assert.match(running.said.join('\n'), /error configuration not reloaded, the one in force stays: POLICY_INVALID/)
      await running.save('agent.yaml', policy('write'))
      assert.equal(await decide(running, 'write'), 'allow')
      await running.close()
    })
  }

  test('that was missing at the start blocked everything, and decides once it is there', async () => {
    const running = await start(CONFIG, undefined)
    assert.equal(await decide(running, 'read'), 'deny')
    await running.save('agent.yaml', policy('read'))
    assert.equal(await decide(running, 'read'), 'allow')
    await running.close()
  })
})

describe('a configuration that is saved while the ledger is open', { timeout: 120_000 }, () => {
  test('is followed by redaction, filter and failure option', async () => {
    const running = await start('audit:\n  redact: [alpha]\n', undefined)
    const { recorder } = running.opened
    const event = (n: number) => ({ event_type: 'data_access', target: `t${n}`, metadata: { beta: 'kept-or-not' } })
    await recorder.record(event(1))
    await running.save('sworn.yaml', 'audit:\n  redact: [beta]\n  on_audit_failure: continue\n  log_level: info\n')
    await recorder.record(event(2))
    await recorder.record({ event_type: 'data_access', severity: 'debug', target: 't3' })
    await recorder.flush()
    const seen = running.entries().filter((entry) => entry.event_type === 'data_access')
    assert.deepEqual(
      seen.map((entry) => [entry.target, JSON.stringify(entry.metadata).includes('kept-or-not')]),
      [
        ['t1', true],
        ['t2', false],
      ],
    )
    assert.equal(recorder.onAuditFailure, 'continue')
    const [reloaded] = reloads(running)
    assert.deepEqual((reloaded!.metadata as Record<string, unknown>).diff, ['log_level', 'redact', 'on_audit_failure'])
    await running.close()
  })

  test('has its variables resolved at every save; one that is not set is refused by its name, and the next save counts again', async () => {
    const running = await start('audit:\n  redact: [alpha]\n', undefined)
    const { recorder } = running.opened
    const stored = async (target: string) => {
      await recorder.record({ event_type: 'data_access', target, metadata: { beta: 'kept-or-not' } }, { level: 'sync' })
      return JSON.stringify(running.entries().find((entry) => entry.target === target)).includes('kept-or-not')
    }
    const seen = [await stored('t1')]
    const variable = (text: string) => ['$', '{', text, '}'].join('')
    for (const [n, word] of [
      variable('SWORN_TEST_UNSET:-beta'),
      variable('SWORN_TEST_UNSET'),
      'gamma',
      variable('SWORN_TEST_UNSET:-beta'),
    ].entries()) {
      await running.save('sworn.yaml', `audit:\n  redact: ["${word}"]\n`)
      seen.push(await stored(`save ${n}`))
    }
    assert.deepEqual(seen, [true, false, false, true, false])
    const outcomes = reloads(running).map(({ event_type }) => event_type)
    assert.deepEqual(outcomes, ['config_reloaded', 'config_reload_failed', 'config_reloaded', 'config_reloaded'])
    assert.match(running.said.join('\n'), /SWORN_TEST_UNSET/)
    await running.close()
  })

  test('cannot move the ledger or change its hash: both are refused by name and recorded, the rest follows', async () => {
    const running = await start('audit: {}\n', undefined)
    await running.save('sworn.yaml', 'audit:\n  hash: sha3-256\n  user: secret-user-name\n  redact: [beta]\n')
    await running.opened.recorder.record({ event_type: 'data_access', metadata: { beta: 'x-value' } })
    await running.opened.recorder.flush()
    const [reloaded, failed] = reloads(running)
    assert.deepEqual((reloaded!.metadata as Record<string, unknown>).diff, ['redact'])
    assert.deepEqual((failed!.metadata as Record<string, unknown>).refused, ['hash', 'user'])
    assert.match(String(failed!.reason), /hash, user cannot change while the ledger is open/)
    assert.equal(running.opened.config.values.hash, undefined)
    const stored = readFileSync(join(running.cwd, 'audit.jsonl'), 'utf8')
    assert.doesNotMatch(stored, /secret-user-name|sha3-256|x-value/)
    await running.close()
  })

  test('that is broken, or asks for what this version does not have, changes nothing and is recorded once', async () => {
    const running = await start('audit:\n  redact: [alpha]\n', undefined)
    await running.save('sworn.yaml', 'audit: [\n')
    await running.save('sworn.yaml', 'audit:\n  sinks: [{type: pigeon}]\n')
    const failed = reloads(running)
    assert.deepEqual(
      failed.map((entry) => entry.event_type),
      ['config_reload_failed', 'config_reload_failed'],
    )
    assert.match(String(failed[1]!.reason), /CONFIG_INVALID one of jsonl, .+ was expected/)
    assert.deepEqual(running.opened.config.values.redact, ['alpha'])
    await running.close()
  })

  test('no longer follows a recorder that was closed', async () => {
    const running = await start('audit: {}\n', undefined)
    await running.close()
    await assert.rejects(running.opened.port.reopen(), (e) => SwornError.is(e, 'LEDGER_CLOSED'))
  })
})

test('a reload that names who may sign the policy asks for a signature from then on, and forgets it with the key', async () => {
  const running = await start(CONFIG, policy('read'))
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const keyed = `${CONFIG}  policy_keys: [who.pem]\n`
  await running.save('sworn.yaml', keyed)
  assert.match(running.said.join('\n'), /KEY_INVALID a named file of a key does not exist/)
  writeFileSync(join(running.cwd, 'who.pem'), publicKey.export({ format: 'pem', type: 'spki' }))
  await running.hangUp()
  assert.deepEqual([reloads(running).at(-1)?.event_type, await decide(running, 'read')], ['config_reload_failed', 'allow'])
  await running.save('agent.yaml', signPolicyText({ text: policy('write'), name: 'agent.yaml' }, privateKey))
  assert.deepEqual([await decide(running, 'read'), await decide(running, 'write')], ['deny', 'allow'])
  await running.save('agent.yaml', policy('read'))
  assert.equal(await decide(running, 'write'), 'allow', 'what is not signed does not come into force')
  await running.save('sworn.yaml', CONFIG)
  assert.equal(await decide(running, 'read'), 'allow')
  await running.close()
})

test('SIGHUP goes on under the stable name after a rename, and reloads; nothing changed is an outcome too', {
  timeout: 120_000,
}, async () => {
  const running = await start('audit: {}\n', undefined)
  await running.opened.recorder.record({ event_type: 'data_access', target: 'before' }, { level: 'sync' })
  renameSync(join(running.cwd, 'audit.jsonl'), join(running.cwd, 'audit.jsonl.1'))
  await running.hangUp()
  assert.match(running.said.join('\n'), /info reopened on SIGHUP/)
  await running.opened.recorder.record({ event_type: 'data_access', target: 'after' }, { level: 'sync' })
  assert.match(readFileSync(join(running.cwd, 'audit.jsonl'), 'utf8'), /"after"/)
  const [event] = reloads(running)
  assert.equal(event!.event_type, 'config_reloaded')
  assert.deepEqual([(event!.metadata as Record<string, unknown>).cause, (event!.metadata as Record<string, unknown>).diff], ['signal', []])
  await running.close()
})

for (const [command, ready] of [
  [['recorder', 'audit.jsonl'], 'recording'],
  [['proxy', '--audit-log', 'audit.jsonl', '--', ...SWORN.slice(0, -1), DEMO_SERVER, '.'], 'no policy'],
] as const) {
  test(`a running sworn ${command[0]} reopens and reloads on SIGHUP, and goes on`, { skip: later, timeout: 120_000 }, async () => {
    const cwd = temporary()
    const running = startProcess(command, { cwd, home: temporary() })
    await running.until(ready)
    renameSync(join(cwd, 'audit.jsonl'), join(cwd, 'audit.jsonl.1'))
    running.process.kill('SIGHUP')
    await running.until('sworn: configuration reloaded: nothing changed')
    assert.match(readFileSync(join(cwd, 'audit.jsonl'), 'utf8'), /"config_reloaded"/)
    running.process.stdin.end()
    if (command[0] === 'recorder') running.process.kill('SIGTERM')
    assert.equal(await running.code, 0)
  })
}

test('a running sworn proxy follows its policy: denied before the save, allowed after it, and still when the file is gone', {
  skip: later,
  timeout: 120_000,
}, async () => {
  const cwd = temporary()
  writeFileSync(join(cwd, 'agent.yaml'), policy('list_directory'))
  writeFileSync(join(cwd, 'a.txt'), 'content')
  const server = ['--', ...SWORN.slice(0, -1), DEMO_SERVER, '.']
  const running = startProcess(['proxy', '--policy', 'agent.yaml', ...server], { cwd, home: temporary() })
  const lines = createInterface({ input: running.process.stdout })[Symbol.asyncIterator]()
  const ask = async (id: number, method: string, params: object) => {
    running.process.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return (await lines.next()).value as string
  }
  await ask(1, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } })
  const read = { name: 'read_text_file', arguments: { path: 'a.txt' } }
  assert.match(await ask(2, 'tools/call', read), /-32001/)
  writeFileSync(join(cwd, 'next.yaml'), policy('read_text_file'))
  renameSync(join(cwd, 'next.yaml'), join(cwd, 'agent.yaml'))
  await running.until('sworn: configuration reloaded: policy')
  assert.match(await ask(3, 'tools/call', read), /content/)
  rmSync(join(cwd, 'agent.yaml'))
  await running.until('configuration not reloaded, the one in force stays: POLICY_INVALID')
  assert.match(await ask(4, 'tools/call', read), /content/)
  running.process.stdin.end()
  assert.equal(await running.code, 0)
})

test('a change that cannot be recorded does not come into force, unless actions go on unrecorded', async () => {
  for (const [onFailure, expected] of [
    ['block', ['alpha']],
    ['continue', ['beta']],
  ] as const) {
    const first = fakeConfig(onFailure, ['alpha'])
    let applied: readonly unknown[] = ['alpha']
    const read = fakeConfig(onFailure, ['beta'])
    const fails = () => Promise.reject(new SwornError('APPEND_REFUSED', 'full'))
    const recorder = { record: fails, prepare: () => () => void (applied = ['beta']) } as unknown as LiveParts['recorder'] // the two members that are used
    const opened = { gate: { policy: {} }, policy: undefined } as Awaited<ReturnType<ReturnType<LiveParts['plan']>['open']>> // never asked
    const live = await createLiveConfig(first, {
      recorder,
      read: async () => read,
      plan: () => ({ key: '', files: [], open: async () => opened }),
      settings: () => ({}),
      say: () => {},
    })
    await live.reload('change')
    assert.deepEqual([live.config.values.redact, applied], [expected, expected])
  }
})

function fakeConfig(on_audit_failure: 'block' | 'continue', redact: string[]): Awaited<ReturnType<LiveParts['read']>> {
  return {
    values: { enabled: true, log_path: '/a', policy_profile: 'strict', on_audit_failure, redact },
    origins: {},
    files: [{ kind: 'user', path: '/f', hash: redact.join(), trusted: true }],
    looked: [],
    refusals: [],
    locked: [],
    recorder: 'by command',
    directories: { config: '/c', state: '/s', managedFile: '/m' },
  }
}
