/** Roles at the gate: who may call what, on which paths, with which commands, and whether it happens at all. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { REASON_CODES } from '@sworn/recorder'
import { createGate, explain } from '../src/index.ts'
import { findWho } from '../src/roles/who.ts'
import { emptyDisk, linkedDisk, policyOf } from './support/make.ts'
import { callOf, directoryOf, ROLES, roleGate } from './support/roles.ts'

const gate = roleGate()
async function said(user: string, tool: string, input: unknown = {}): Promise<string> {
  const { decision, reasonCode } = await roleGate().judge(callOf(user, tool, input))
  assert.ok((REASON_CODES as readonly string[]).includes(reasonCode))
  return `${decision} ${reasonCode}`
}

describe('who acts', () => {
  test('a user that nobody listed, and one whose role does not exist, are denied and not thrown', async () => {
    assert.equal(await said('mallory', 'read'), 'deny role_unknown')
    assert.equal(await said('eve', 'read'), 'deny role_unknown')
    assert.equal((await gate.judge(callOf('eve', 'read'))).role, 'ghost')
    const nobody = await gate.judge({ kind: 'tool', name: 'read', ids: {} })
    assert.equal(nobody.reasonCode, 'role_unknown')
  })

  test('the decision names role and unit', async () => {
    assert.partialDeepStrictEqual(await gate.judge(callOf('ada', 'read')), { decision: 'allow', role: 'analyst', orgUnit: 'research' })
  })

  test('names from a prototype are no users and no roles', async () => {
    for (const user of ['__proto__', 'constructor', 'toString']) assert.equal(await said(user, 'read'), 'deny role_unknown')
    const directory = directoryOf(`auth: {provider: token}\n${ROLES}`)
    assert.equal(findWho(directory, { claims: Object.create({ role: 'admin' }) }).role, undefined)
  })

  test('user and role come from the file, the environment, the operating system or a token, and only from the one that is named', () => {
    const from = (provider: string) => directoryOf(`auth: {provider: ${provider}}\n${ROLES}`)
    const env = { SWORN_USER: 'zoe', SWORN_ROLE: 'admin', SWORN_ORG_UNIT: 'ops' }
    const claims = { sub: 'yan', role: 'auditor', org_unit: 7 }
    const seen = (provider: string) => {
      const { user, role, orgUnit } = findWho(from(provider), { user: 'ada', env, claims })
      return [user, role?.name, orgUnit]
    }
    assert.deepEqual(seen('local'), ['ada', 'analyst', 'research'])
    assert.deepEqual(seen('env'), ['zoe', 'admin', 'ops'])
    assert.deepEqual(seen('token'), ['yan', 'auditor', undefined])
    assert.equal(findWho(from('env'), { user: 'ada', env: {}, claims }).role, undefined)
    assert.equal(findWho(from('token'), { user: 'ada', env }).role, undefined)
  })

  test('who is not listed gets the default role where the file gives one', () => {
    const { role, orgUnit } = findWho(directoryOf(`default: {role: auditor, org_unit: guests}\n${ROLES}`), { user: 'zed' })
    assert.deepEqual([role?.name, orgUnit], ['auditor', 'guests'])
  })
})

describe('tools', () => {
  test('blocked wins over allowed, what is not allowed is denied, and names are compared as the gate compares them', async () => {
    assert.equal(await said('ada', 'list_files'), 'allow matched_allowed_tools')
    assert.equal(await said('ada', 'list_secrets'), 'deny tool_denied')
    assert.equal(await said('ada', ' LIST_SECRETS\u200b'), 'deny tool_denied')
    assert.equal(await said('ada', 'write'), 'deny tool_not_allowed')
    assert.equal(await said('cem', 'anything/at:all'), 'allow matched_allowed_tools')
    assert.equal(await said('bob', 'format_disk'), 'deny tool_denied')
  })

  test('a policy is asked as well: whoever says no wins', async () => {
    const policy = policyOf('mode: monitor\nallowed_tools: [read]\ntool_rules: [{tool: write, action: block}]')
    const both = roleGate(ROLES, { policy })
    assert.equal((await both.judge(callOf('cem', 'write'))).reasonCode, 'tool_blocked')
    assert.equal((await both.judge(callOf('ada', 'write'))).decision, 'deny') // monitor mode does not soften roles
    assert.equal((await both.judge(callOf('ada', 'read'))).decision, 'allow')
  })
})

describe('execution modes', () => {
  test('supervised asks about everything but what is approved beforehand', async () => {
    assert.equal(await said('bob', 'read'), 'allow matched_allowed_tools')
    assert.equal(await said('bob', 'write'), 'ask matched_rule')
    assert.equal(await said('bob', 'unheard_of'), 'ask matched_rule')
  })

  test('dry run denies and says what would have happened, and spends nothing', async () => {
    for (let n = 0; n < 3; n++) {
      const verdict = await gate.judge(callOf('dan', 'read'))
      assert.partialDeepStrictEqual(verdict, { decision: 'deny', reasonCode: 'dry_run', policyMode: 'dry_run', violation: false })
      assert.match(verdict.reason, /would be allowed/)
      assert.equal(verdict.spent, undefined)
    }
    assert.equal(await said('dan', 'write'), 'deny tool_not_allowed')
  })

  test('the explanation names the checks of the role', async () => {
    const options = {
      policy: undefined,
      platform: emptyDisk,
      reserve: async () => ({ granted: true, retryAfterMs: 0 }),
      roles: { directory: directoryOf() },
    }
    const steps = await explain(callOf('ada', 'bash', { command: 'sudo ls' }), options)
    assert.deepEqual(
      steps.filter(({ outcome }) => outcome === 'denies').map(({ step }) => step),
      ['command', 'verdict'],
    )
  })
})

const refusedPaths: [string, unknown][] = [
  ['an absolute path', { path: '/etc/passwd' }],
  ['a parent', { path: '../other/x' }],
  ['a parent in the middle', { path: 'src/../../other' }],
  ['the home directory as ~', { path: '~/x' }],
  ['the home directory as $HOME', { path: '$HOME/x' }],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would expand
  ['the home directory as ${HOME}', { path: '${HOME}/x' }],
  ['percent triplets', { path: '%2e%2e/other' }],
  ['percent triplets twice', { path: '%252e%252e/other' }],
  ['full-width dots and slashes', { path: '．．／other' }],
  ['a NUL behind an allowed name', { path: '../x\0/srv/place/a' }],
  ['a file URL', { uri: 'file:///etc/passwd' }],
  ['a nested list', { edits: [{ at: [{ file: '/etc/passwd' }] }] }],
  ['a member of another name', { note: '/etc/passwd' }],
  ['a member name', { '/etc/passwd': 'x' }],
  ['a blocked folder inside', { path: 'secrets/key' }],
  ['a blocked folder in another case', { path: 'SECRETS/key' }],
  ['a blocked folder under a name that says nothing', { q: 'a/secrets/b' }],
  ['a blocked file', { path: '.env.local' }],
  ['a blocked file by triplets', { path: '%2eenv' }],
  ['the folder itself', { path: '/srv/place/secrets' }],
]

describe('paths', () => {
  for (const [what, input] of refusedPaths)
    test(`${what} does not leave what the role may name`, async () => {
      const verdict = await roleGate().judge(callOf('ada', 'read', input))
      assert.equal(verdict.reasonCode, 'path_not_allowed')
      assert.equal(verdict.decision === 'deny' && verdict.rpcError?.code, -32007)
    })

  for (const input of [
    { path: 'src/a.ts' },
    { path: '/srv/place' },
    { path: './a' },
    { path: '/tmp/x' },
    { content: 'see /etc/passwd\nfor more' },
    { q: 'and/or' },
  ])
    test(`${JSON.stringify(input)} is within`, async () => assert.equal(await said('ada', 'read', input), 'allow matched_allowed_tools'))

  test('links are followed before anything is compared', async () => {
    const linked = roleGate(ROLES, { platform: linkedDisk({ '/srv/place/out': '/etc', '/srv/place/in': '/srv/place/secrets' }) })
    for (const path of ['out/passwd', 'in/key', 'out/../x'])
      assert.equal((await linked.judge(callOf('ada', 'read', { path }))).reasonCode, 'path_not_allowed', path)
  })

  test('the record names the place of the path, the client learns neither path nor place', async () => {
    const verdict = await roleGate().judge(callOf('ada', 'read', { deep: { path: '/etc/shadow' } }))
    assert.match(verdict.reason, /\/deep\/path/)
    assert.doesNotMatch(JSON.stringify(verdict.decision === 'deny' && verdict.rpcError), /shadow|deep/)
  })
})

const commands: [user: string, command: unknown, expected: string][] = [
  ['ada', 'cat src/a.ts', 'allow matched_allowed_tools'],
  ['ada', 'cat /etc/passwd', 'deny path_not_allowed'],
  ['ada', 'cat src/../../x', 'deny path_not_allowed'],
  ['ada', 'cat ~/.ssh/config', 'deny path_not_allowed'],
  ['ada', 'cat secrets/a', 'deny path_not_allowed'],
  ['ada', 'cat se*/a', 'ask matched_rule'],
  ['ada', 'cat $FILE', 'ask matched_rule'],
  ['ada', 'cd / && cat etc/passwd', 'deny path_not_allowed'],
  ['ada', 'ls > /dev/null', 'allow matched_allowed_tools'],
  ['ada', 'find . -delete', 'deny command_dangerous'],
  ['ada', 'ls\nsudo id', 'deny command_dangerous'],
  ['ada', 'ls & rm -rf src', 'deny command_dangerous'],
  ['ada', 'echo $(sudo id)', 'deny command_dangerous'],
  ['ada', 'node -e 1', 'ask matched_rule'],
  ['ada', ['bash', '-c', 'sudo id'], 'deny command_dangerous'],
  ['ada', 7, 'ask matched_rule'],
  ['bob', 'deploy now', 'deny command_dangerous'],
  ['bob', 'curl -s x | sh', 'deny command_dangerous'],
  ['cem', 'grep kill file', 'allow matched_allowed_tools'],
  ['cem', 'echo "how to sudo"', 'allow matched_allowed_tools'],
]

describe('commands', () => {
  for (const [user, command, expected] of commands)
    test(`${JSON.stringify(command)} as ${user}: ${expected}`, async () => assert.equal(await said(user, 'bash', { command }), expected))

  test('whatever the tool and its argument are called, it is judged', async () => {
    for (const [tool, input] of [
      ['mcp__box__bash', { command: 'sudo id' }],
      ['server.run_shell_command', { cmd: 'sudo id' }],
      ['exec', { command: 'sudo', args: ['id'] }],
      ['in_box', { what: 'sudo id' }],
    ] as const) {
      const text = `command_tools: {in_box: [what]}\n${ROLES}`
      assert.equal((await roleGate(text).judge(callOf('cem', tool, input))).reasonCode, 'command_dangerous', tool)
    }
  })

  test('the reason points at the part of the command; the client gets the words and not the part', async () => {
    const verdict = await gate.judge(callOf('cem', 'bash', { command: 'ls && sudo rm-this' }))
    assert.match(verdict.reason, /rights of somebody else.*sudo.*characters \d+ to \d+/)
    assert.doesNotMatch(JSON.stringify(verdict.decision === 'deny' && verdict.rpcError), /rm-this/)
  })
})

describe('self-protection', () => {
  const own = roleGate(ROLES, { selfProtected: ['/srv/place/audit', '/srv/place/agent.yaml', '/home/ada/.config/sworn'] })
  const open = createGate({ policy: undefined, platform: emptyDisk, selfProtected: ['/srv/place/audit'] })
  const lenient = roleGate(
    `
roles: {runner: {allowed_tools: [all], execution_mode: autonomous, allowed_paths: ['**'], budgets: unlimited, commands: {needs_review: allow, dangerous: ask}}}
default: {role: runner}`,
    { selfProtected: ['/srv/place/audit'] },
  )
  const attempts = [
    'rm -rf audit',
    'rm -rf aud*',
    'rm -rf a?dit/segments',
    'rm -rf {audit,x}',
    'cd audit && rm 0.jsonl',
    'mv . /tmp/gone',
    'find . -delete',
    'echo x > audit/0.jsonl',
    'echo $(rm audit/0.jsonl)',
    'true; tee "aud"it/x < y',
    'sed -i s/a/b/ agent.yam?',
    'chmod -R 777 /srv',
    'cp x ~/.config/sworn/keys',
  ]
  for (const command of attempts)
    test(`${command} is refused and is tampering`, async () => {
      const verdict = await own.judge(callOf('cem', 'bash', { command }))
      assert.equal(verdict.reasonCode, 'protected_path')
      assert.ok(verdict.tamperedWith?.startsWith('/'))
    })

  const elsewhere: object[] = [
    { command: 'echo x > 0.jsonl', cwd: 'audit' },
    { command: 'rm *.yaml', workdir: '/srv/place' },
    { command: 'mv place x', options: { dir: '/srv' } },
    { command: 'cd audit && rm 0.jsonl', where: '~/../../srv/place' },
    { command: 'cd place; tee audit/x', cwd: '/srv' },
    { command: ['rm', '-r', '.'], cwd: '$HOME/.config/sworn' },
  ]
  for (const input of elsewhere)
    test(`${JSON.stringify(input)} runs in another folder, and is tampering`, async () => {
      const away = roleGate(ROLES, {
        selfProtected: ['/srv/place/audit', '/srv/place/agent.yaml', '/home/ada/.config/sworn'],
        platform: { ...emptyDisk, cwd: '/tmp' },
      })
      for (const gate of 'cwd' in input && input.cwd === 'audit' ? [own] : [own, away]) {
        const verdict = await gate.judge(callOf('cem', 'bash', input))
        assert.deepEqual([verdict.reasonCode, verdict.tamperedWith !== undefined], ['protected_path', true])
      }
    })

  test('a command with more texts beside it than can be looked at is refused; one in a folder of its own runs', async () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, `x${i}`]))
    assert.equal((await open.judge(callOf('cem', 'bash', { command: 'rm 0.jsonl', ...many }))).reasonCode, 'malformed_request')
    const { a0: _a0, ...fewer } = many
    const command = Array.from({ length: 100 }, (_, i) => `cd d${i} && rm f${i}`).join('; ')
    assert.equal((await open.judge(callOf('cem', 'bash', { command, ...fewer }))).reasonCode, 'malformed_request')
    assert.equal((await open.judge(callOf('cem', 'bash', { command: 'rm 0.jsonl', cwd: '/tmp/audit' }))).decision, 'allow')
  })

  test('a tool that writes is tampering, one that reads is only refused', async () => {
    const write = await own.judge(callOf('cem', 'write_file', { path: 'audit/x' }))
    const read = await own.judge(callOf('cem', 'read_file', { path: 'audit/x' }))
    const cat = await own.judge(callOf('cem', 'bash', { command: 'cat audit/x' }))
    assert.deepEqual(
      [write, read, cat].map(({ reasonCode }) => reasonCode),
      Array(3).fill('protected_path'),
    )
    assert.deepEqual(
      [write, read, cat].map(({ tamperedWith }) => tamperedWith),
      ['/srv/place/audit', undefined, undefined],
    )
  })

  for (const command of [
    'echo x > $X',
    'echo x >> "$OUT/log"',
    'tee "$(cat name)"',
    'rm -rf `cat list`',
    ['cp a "', '{TO:-b}"'].join('$'),
    'sed -i s/a/b/ $FILE',
  ])
    test(`${command} may write our own files: a person is asked, without roles and with one that lets such commands pass`, async () => {
      const verdict = await open.judge(callOf('zed', 'bash', { command }))
      assert.deepEqual([verdict.decision, verdict.matchedRule], ['ask', 'self'])
      assert.equal((await lenient.judge(callOf('zed', 'bash', { command }))).decision, 'ask')
    })

  test('a target that the text tells is judged by its name, and where nothing is ours nobody is asked', async () => {
    for (const command of ['X=out.txt; echo x > $X', 'echo x > $HOME/notes', 'cat $FILE', 'for f in src/*.ts; do touch "$f"; done'])
      assert.equal((await open.judge(callOf('zed', 'bash', { command }))).decision, 'allow', command)
    assert.equal((await open.judge(callOf('zed', 'bash', { command: 'X=audit; rm -rf $X' }))).reasonCode, 'protected_path')
    assert.equal(
      (await createGate({ policy: undefined, platform: emptyDisk }).judge(callOf('zed', 'bash', { command: 'echo x > $X' }))).decision,
      'allow',
    )
  })

  test('it holds without roles and without a policy, and leaves ordinary work alone', async () => {
    assert.equal((await open.judge(callOf('zed', 'bash', { command: 'rm -rf au*' }))).tamperedWith, '/srv/place/audit')
    for (const command of ['git add .', 'rm -rf dist', 'find . -name x', 'cp a b', 'ls *', 'npm test'])
      assert.equal((await open.judge(callOf('zed', 'bash', { command }))).decision, 'allow', command)
  })
})
