/** An application that does not know of sworn is recorded by a flag of Node alone. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { endWithTests } from '../../../testkit/src/children.ts'
import { type FakeModel, startFakeModel } from '../../../testkit/src/fake-model.ts'
import { linesOf } from '../../../testkit/src/sink-contract.ts'
import { later } from '../../../testkit/src/suite.ts'

const CALL = `
const client = new OpenAI({ apiKey: 'none', baseURL: process.env.MODEL_URL + '/v1', maxRetries: 0 })
const say = async () => (await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })).choices[0].message.content
`
const APPS = {
  'app.mjs': `import OpenAI from 'openai'${CALL}console.log(await say())`,
  'app.cjs': `const { OpenAI } = require('openai')${CALL}say().then(console.log)`,
  'resting.mjs': `import OpenAI from 'openai'${CALL}console.log(await say())\nawait new Promise((done) => setTimeout(done, 1500))`, // the alerter runs by then
  'late.mjs': `const { default: OpenAI } = await import('openai5')${CALL}console.log(await say())`, // another copy, under another name
  'worker.mjs': `import { isMainThread, Worker } from 'node:worker_threads'
if (isMainThread) new Worker(new URL(import.meta.url))
else {
  const { default: OpenAI } = await import('openai')${CALL}console.log(await say())
}`,
  'fork.cjs': `const { OpenAI } = require('openai')
const { fork, spawn } = require('node:child_process')${CALL}
if (process.argv[2]) say().then(console.log)
else fork(__filename, ['child']).on('close', () => {
  const NODE_OPTIONS = process.execArgv.map((flag) => JSON.stringify(flag)).join(' ')
  spawn(process.execPath, [__filename, 'child'], { stdio: 'inherit', env: { ...process.env, NODE_OPTIONS } })
})`,
  'ending.mjs': `import OpenAI from 'openai'${CALL}let last = say // once more when it is told that it is over
process.on('beforeExit', async (code) => { const text = await last?.(); last = undefined; if (text) console.log(text) })
process.once('exit', (code) => console.error(process.listenerCount('SIGHUP'), code))
process.exitCode = 5
console.log(await say())`,
  'told.mjs': `let told = 0
process.on('beforeExit', () => told++).on('exit', () => console.log('told', told))`,
  'waiting.mjs': 'await new Promise(() => {})',
  'hung-up.mjs': `setTimeout(() => {}, 60_000)
process.kill(process.pid, 'SIGHUP')`,
  'leaving.mjs': `import OpenAI from 'openai'${CALL}console.log(await say())\nprocess.exit(7)`,
}

let folder = ''
let model: FakeModel
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sworn-register-'))
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  for (const [name, text] of Object.entries(APPS)) writeFileSync(join(folder, name), text)
  model = await startFakeModel([{ text: 'hello' }])
})
after(async () => {
  await model.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const FLAGS = ['--conditions=sworn-source', '--disable-warning=ExperimentalWarning', '--import', 'sworn/register']

async function run(app: string, env: Record<string, string>, flags: readonly string[] = FLAGS): Promise<Ended> {
  const child = endWithTests(
    spawn(process.execPath, [...flags, ...app.split(' ')], {
      cwd: folder,
      env: { ...process.env, MODEL_URL: model.url, SWORN_HOME: join(folder, 'home'), ...env },
    }),
  )
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  const code = await new Promise<number | null>((done) => child.once('close', done))
  return { code, ...said }
}

interface Expected {
  readonly code?: number
  /** How often it asks the model, and says what that answered. */
  readonly calls?: number
  readonly skip?: string | false
}
const expected: Readonly<Record<string, Expected>> = {
  'app.mjs': {},
  'app.cjs': {},
  'resting.mjs': { skip: false },
  'late.mjs': {},
  'worker.mjs': {},
  'fork.cjs': { calls: 2 },
  'leaving.mjs': { code: 7 },
}
for (const [app, { code = 0, calls = 1, skip = later }] of Object.entries(expected))
  test(`${app}: its model calls are recorded, and it ends as it would`, { skip }, async () => {
    const ledger = join(folder, `audit-${app}`)
    assert.deepEqual(await run(app, { SWORN_LEDGER: ledger }), { code, out: 'hello\n'.repeat(calls), err: '' })
    const types = linesOf(ledger).map((line) => JSON.parse(line).event_type)
    assert.deepEqual(
      types.filter((type) => type.startsWith('model_')),
      Array(calls).fill(['model_request', 'model_response']).flat(),
    )
    assert.ok(types.indexOf('instrumentation_report') < types.indexOf('model_request'))
  })

test('an application that works when it is told that it is over: that is recorded too, and its exit code is its own', async () => {
  const ledger = join(folder, 'audit-ending')
  assert.deepEqual(await run('ending.mjs', { SWORN_LEDGER: ledger }), { code: 5, out: 'hello\n'.repeat(2), err: '0 5\n' })
  const types = linesOf(ledger).map((line) => JSON.parse(line).event_type)
  assert.equal(types.filter((type) => type === 'model_response').length, 2)
  assert.ok(types.includes('log.stop'))
})

test('an application is told once that it is over, waits as it did, and a terminal that is closed ends it', async () => {
  for (const app of ['told.mjs', 'waiting.mjs', 'hung-up.mjs']) {
    const bare = await run(app, {}, [])
    assert.deepEqual(await run(app, { SWORN_LEDGER: join(folder, `audit-${app}`) }), bare, app)
  }
})

test('the flag in NODE_OPTIONS does the same, and neither the threads nor the commands of sworn are taken for applications', {
  skip: later,
}, async () => {
  const env = { NODE_OPTIONS: FLAGS.join(' ') }
  const ledger = join(folder, 'audit-options')
  assert.deepEqual(await run('app.mjs', { ...env, SWORN_LEDGER: ledger }, []), { code: 0, out: 'hello\n', err: '' })
  assert.equal(linesOf(ledger).filter((line) => JSON.parse(line).event_type === 'model_response').length, 1)
  const nowhere = join(folder, 'app.cjs', 'audit') // an application would not run
  const { code, out, err } = await run(`${resolve('packages/cli/src/bin.ts')} --version`, { ...env, SWORN_LEDGER: nowhere }, [])
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /sworn/)
})

test('a model that has a price in the configuration has a cost', { skip: later }, async () => {
  const ledger = join(folder, 'audit-priced')
  const config = join(folder, 'sworn-priced.yaml')
  writeFileSync(config, `audit:\n  log_path: ${ledger}\n  prices:\n    m*: { input: 1, output: 2 }\n`)
  assert.equal((await run('app.mjs', { SWORN_CONFIG: config })).code, 0)
  const response = linesOf(ledger)
    .map((line) => JSON.parse(line))
    .find(({ event_type }) => event_type === 'model_response')
  assert.equal(response.cost_usd, 0.000017)
})

test('an application whose ledger cannot be opened does not run, and is told why', async () => {
  const { code, out, err } = await run('app.mjs', { SWORN_LEDGER: join(folder, 'app.cjs', 'audit') })
  assert.equal(out, '')
  assert.ok(code === 2 || code === 3)
  assert.match(err, /^error: [A-Z_]+ .*\nhint: .+\n$/)
})
