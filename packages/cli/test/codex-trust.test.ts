/** Which hooks Codex runs, by its own tables. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codexHook, readCodexTrust } from '../src/agents/codex-trust.ts'
import { parseJsonc } from '../src/clients/jsonc.ts'

const hook = (command: string) => ({ type: 'command', command, timeout: 60 })
const HOOKS = {
  PreToolUse: [
    { hooks: [{ type: 'command', command: 'other' }] },
    {
      matcher: 'Bash|é "x"',
      hooks: [{ type: 'command', command: 'mine' }, hook('sworn hook codex PreToolUse --installed || { [ $? = 3 ] || exit 2; }')],
    },
  ],
  UserPromptSubmit: [{ hooks: [hook('sworn hook codex UserPromptSubmit --installed')] }],
  SessionEnd: [{ hooks: [hook('sworn hook codex SessionEnd --installed')] }],
  Stop: [{ hooks: [hook("'/a b/ü' hook codex Stop --installed")] }],
}
/** What `hooks/list` of codex-cli 0.169.0 says of them. */
const LISTED = {
  PreToolUse: ['/h/hooks.json:pre_tool_use:1:1', 'sha256:b89a48e09c0f2980f17710a86979c8b4e1c13934be9adb88633fc9870a1740c8'],
  UserPromptSubmit: ['/h/hooks.json:user_prompt_submit:0:0', 'sha256:5014d89dfe9925a2ff68a8dd7fd44c05532deae202f54c14b3cfc0ac97daaf18'],
  SessionEnd: ['/h/hooks.json:session_end:0:0', 'sha256:ef64b499ce7359b24766dc5d19897116a36f49fe9b404950cb59050ad43207ff'],
  Stop: ['/h/hooks.json:stop:0:0', 'sha256:37843ff7c70c1e67d400d6e9115f111a100293abac4b1c64c0455589827200b4'],
}

const found = (value: unknown, event: string) =>
  codexHook(parseJsonc(JSON.stringify(value), 'f'), '/h/hooks.json', event, `hook codex ${event} --installed`)

test('a hook has the key and the hash that Codex lists', () => {
  for (const [event, [key, hash]] of Object.entries(LISTED)) assert.deepEqual(found({ hooks: HOOKS }, event), { key, hash })
})

test('of a hook that is not there, or in another form, nothing is said', () => {
  for (const value of [
    {},
    { hooks: {} },
    { hooks: { Stop: [{ hooks: [{ ...hook('x hook codex Stop --installed'), statusMessage: 'x' }] }] } },
  ])
    assert.equal(found(value, 'Stop'), undefined)
})

const HASH = `sha256:${'a'.repeat(64)}`
const table = (key: string, body: string) => `[hooks.state.${key}]\n${body}\n`

test('trust is what stands in its own table, whatever stands beside it', () => {
  const beside = ['[hooks.state]', '[features]', '[hooks.state."unclosed]', '# [hooks.state."c"]', '[[x]]', 'enabled = false']
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.subarray(beside), fc.constantFrom('\n', '\r\n'), (key, before, line) => {
      const text = `${before.join('\n')}\n${table(JSON.stringify(key), `trusted_hash = "${HASH}"`)}[x]\ntrusted_hash = "${HASH}"`
      assert.deepEqual([...readCodexTrust(text.replaceAll('\n', line))], [[key, HASH]])
    }),
  )
})

test('a hook that is switched off, or has no whole hash, is not trusted; a key may be literal', () => {
  const trusted = (text: string) => [...readCodexTrust(text).keys()]
  assert.deepEqual(trusted(table("'C:\\h:stop:0:0'", `enabled = true\ntrusted_hash = '${HASH}'`)), ['C:\\h:stop:0:0'])
  assert.deepEqual(trusted(table('"k"', `enabled = false\ntrusted_hash = "${HASH}"`)), [])
  assert.deepEqual(trusted(table('"k"', `trusted_hash = "${HASH}"\nenabled=false`)), [])
  assert.deepEqual(trusted(table('"k"', `trusted_hash = "${HASH.slice(0, -1)}"`)), [])
  assert.deepEqual(trusted(''), [])
})
