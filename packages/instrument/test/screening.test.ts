/** What a policy finds in the data of calls inside the process: masked, refused or told, with the real gate. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGate } from '@sworn/govern'
import { loadPolicy } from '@sworn/govern/policy'
import { type Adapter, type InstrumentRecorder, instrument, wrapTool } from '@sworn/instrument'
import { createRecorder, type Gate } from '@sworn/recorder'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'

const gateWith = (action: string): Gate =>
  createGate({
    policy: loadPolicy({
      name: 'test.yaml',
      text: `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: inside}
spec:
  allowed_tools: [send]
  dlp:
    scan_requests: true
    scan_responses: true
    patterns: [{name: Number, regex: "ID-[0-9]{6}", scope: all, action: ${action}}]
`,
    }),
  })

function setUp() {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const found = async () => {
    await recorder.flush()
    return port
      .events()
      .flatMap(({ event_type, dlp_action, direction, redacted }) => (event_type === 'dlp_match' ? [[direction, dlp_action, redacted]] : []))
  }
  const words = () => port.events().map(({ event_type, decision }) => [event_type, decision].filter(Boolean).join(' '))
  return { port, recorder, found, words }
}

const SECRET = { to: 'x', body: 'it is ID-123456' }

test('what is masked is not what the tool gets', async () => {
  const { recorder, found, words } = setUp()
  const given: unknown[] = []
  const send = wrapTool(recorder, 'send', async (mail: object) => void given.push(mail), { gate: gateWith('mask') })
  await send(SECRET)
  await send({ to: 'y' })
  assert.doesNotMatch(JSON.stringify(given), /ID-123456/)
  assert.deepEqual(given[1], { to: 'y' })
  assert.deepEqual(await found(), [['request', 'mask', true]])
  assert.deepEqual(words(), [
    'authorization_decision allow',
    'dlp_match',
    'tool_call_start',
    'tool_call_end',
    'authorization_decision allow',
    'tool_call_start',
    'tool_call_end',
  ])
})

test('what is blocked does not run; what is warned about does, as it is', async () => {
  const { recorder, found, words } = setUp()
  const given: unknown[] = []
  const run = async (mail: object) => void given.push(mail)
  await assert.rejects(wrapTool(recorder, 'send', run, { gate: gateWith('block') })(SECRET), /dlp_blocked/)
  await wrapTool(recorder, 'send', run, { gate: gateWith('warn') })(SECRET)
  assert.deepEqual(given, [SECRET])
  assert.deepEqual(await found(), [
    ['request', 'block', false],
    ['request', 'warn', false],
  ])
  assert.equal(words()[0], 'authorization_decision deny')
})

test('what comes back is masked, withheld or told, before the application has it', async () => {
  const { port, recorder, found } = setUp()
  const answering = (action: string) =>
    wrapTool(recorder, 'send', async (_: object) => ({ id: 'ID-123456', n: 1 }), { gate: gateWith(action) })({ to: 'x' })
  assert.deepEqual(await answering('warn'), { id: 'ID-123456', n: 1 })
  const masked = await answering('mask')
  assert.doesNotMatch(JSON.stringify(masked), /ID-123456/)
  assert.equal(masked.n, 1)
  await assert.rejects(answering('block'), /dlp_blocked/)
  assert.deepEqual(await found(), [
    ['response', 'warn', false],
    ['response', 'mask', true],
    ['response', 'block', false],
  ])
  const last = port.events().at(-1)
  assert.deepEqual([last?.event_type, last?.error_type, last?.result], ['tool_call_error', 'dlp_blocked', '[BLOCKED:dlp]'])
})

test('an object of a class that comes back stays what it is, and the record says that nothing was done', async () => {
  const { port, recorder, found } = setUp()
  class Letter {
    readonly body = 'ID-123456'
  }
  const send = wrapTool(recorder, 'send', async (_: object) => new Letter(), { gate: gateWith('mask') })
  const letter = await send({ to: 'x' })
  assert.ok(letter instanceof Letter)
  assert.equal(letter.body, 'ID-123456')
  assert.deepEqual(await found(), [['response', 'warn', false]])
  assert.equal(port.events().find(({ event_type }) => event_type === 'dlp_match')?.enforced, false)
})

test('an adapter that cannot hand over other arguments refuses what would be masked', async () => {
  const { recorder, found } = setUp()
  const modules = { mail: { send: (mail: object): Promise<unknown> => Promise.resolve(mail) } }
  const adapter: Adapter = {
    id: 'mail',
    layer: 'sdk',
    facts: { sees: 'mails', stops: 'mails', misses: 'letters' },
    canBlock: () => true,
    targets: [{ pkg: 'mail', entries: ['mail'], tested: [1, 1] }],
    patch: ({ module }, { fixed, patches }) =>
      patches.method(
        module,
        'send',
        (send) =>
          function (mail) {
            return fixed.guard({ kind: 'tool', name: 'send', input: mail, ids: {} }, () => Reflect.apply(send, this, [mail]))
          },
      )
        ? ['send']
        : [],
  }
  const { undo } = await instrument(recorder as InstrumentRecorder, { modules, adapters: [adapter], gate: gateWith('mask') })
  await assert.rejects(modules.mail.send(SECRET), /dlp_blocked/)
  assert.deepEqual(await modules.mail.send({ to: 'y' }), { to: 'y' })
  undo()
  assert.deepEqual(await found(), [['request', 'block', false]])
})
