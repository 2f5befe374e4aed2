/** Which spellings of a protected path are found, in which profile. @module */
import assert from 'node:assert/strict'
import { linkSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Verdict } from '@sworn/recorder'
import fc from 'fast-check'
import { createGate, nodePlatform, type Platform, type Profile } from '../src/index.ts'
import { call, emptyDisk, gateOf, linkedDisk, policyOf, runs } from './support/make.ts'

const SPEC = 'allowed_tools: [run]\nprotected_paths: [~/.ssh, .env]'

async function denies(input: unknown, profile: Profile, platform: Platform = emptyDisk): Promise<boolean> {
  const verdict = await gateOf(SPEC, { profile, platform }).judge(call('run', input))
  if (verdict.decision === 'deny') assert.equal(verdict.reasonCode, 'protected_path')
  return verdict.decision === 'deny'
}

describe('AW23: what the reference misses, strict finds', () => {
  const missed: [string, unknown][] = [
    ['$HOME', { path: '$HOME/.ssh/id_rsa' }],
    ['HOME in braces', { path: '\x24{HOME}/.ssh/id_rsa' }],
    ['~ inside a command', { command: 'cat ~/.ssh/id_rsa' }],
    ['the bare home directory', { path: '~' }],
    ['a parent directory', { path: '/home' }],
    ['the root', { path: '/' }],
    ['percent encoding', { path: '/home/ada/%2essh/id_rsa' }],
    ['percent encoding twice', { path: '/home/ada/%252essh/id_rsa' }],
    ['an object key', { files: { '/home/ada/.ssh/config': 'x' } }],
    ['a bare name in a command', { command: 'echo .env' }],
    ['a variant of a bare name', { path: '.env.local' }],
    ['dot segments in a command', { command: 'cat /home/ada/docs/../.ssh/id_rsa' }],
    ['doubled slashes', { command: 'cat /home/ada//.ssh/id_rsa' }],
    ['quotes inside a word', { command: 'cat /home/ada/.s""sh/id_rsa' }],
    ['a backslash inside a word', { command: 'cat /home/ada/.s\\sh/id_rsa' }],
    ['the own user name', { path: '~ada/.ssh/id_rsa' }],
    ['a flag value', { args: ['--key=~/.ssh/id_rsa'] }],
    ['full-width letters', { path: '/home/ada/．ｓｓｈ/id_rsa' }],
    ['a file URL with an encoded slash', { uri: 'file:///home/ada%2F.ssh/id_rsa' }],
    ['a parent in a command', { command: 'tar c /home/ada' }],
  ]
  for (const [what, input] of missed) {
    test(`${what} is refused in strict and passes in aip-compat`, async () => {
      assert.equal(await denies(input, 'strict'), true)
      assert.equal(await denies(input, 'aip-compat'), false)
    })
  }

  test('case variants are refused where the platform ignores case, and only there', async () => {
    const input = { path: '/home/ada/.SSH/id_rsa' }
    assert.equal(await denies(input, 'strict', { ...emptyDisk, caseInsensitive: true }), true)
    assert.equal(await denies(input, 'strict'), false)
  })

  test('links to a protected place are refused, also through `..` and with a new name at the end', async () => {
    const disk = linkedDisk({ '/srv/place/link': '/home/ada/.ssh', '/srv/place/docs': '/home/ada/docs' })
    for (const path of ['link', 'link/id_rsa', './link', '/srv/place/docs/../.ssh/id_rsa']) {
      assert.equal(await denies({ path }, 'strict', disk), true, path)
      assert.equal(await denies({ path }, 'aip-compat', disk), false, path)
    }
    assert.equal(await denies({ path: 'docs/readme' }, 'strict', disk), false)
  })

  test('a real link on a real disk is followed, and so is a protected path that is itself a link', async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'govern-')))
    try {
      mkdirSync(join(root, 'secret'))
      writeFileSync(join(root, 'secret', 'key'), '')
      symlinkSync(join(root, 'secret'), join(root, 'door'))
      const platform = { ...nodePlatform(root), home: '/home/ada' }
      for (const path of ['secret', 'door']) {
        const gate = gateOf(`allowed_tools: [run]\nprotected_paths: [${join(root, path)}]`, { platform })
        for (const asked of ['secret/key', 'door/key', 'secret/new', 'door/new']) {
          assert.equal((await gate.judge(call('run', { path: asked }))).decision, 'deny', `${path} ${asked}`)
        }
        assert.equal((await gate.judge(call('run', { path: 'other' }))).decision, 'allow', 'nothing of this name yet')
        symlinkSync(join(root, 'secret'), join(root, 'other'))
        assert.equal((await gate.judge(call('run', { path: 'other' }))).decision, 'deny', 'a link that was set between two calls')
        rmSync(join(root, 'other'))
      }
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})

describe('another name of a protected file (a hard link)', () => {
  async function withLinks(
    look: (root: string, decide: (tool: string, input: unknown) => Promise<Verdict>) => Promise<void>,
  ): Promise<void> {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'govern-')))
    try {
      for (const folder of ['audit', 'audit/segments', 'secret', 'work']) mkdirSync(join(root, folder))
      for (const file of ['audit/active.jsonl', 'audit/segments/1', 'secret/key', 'agent.yaml', 'work/own', 'work/other'])
        writeFileSync(join(root, file), '')
      const named = ['audit/active.jsonl', 'audit/segments/1', 'secret/key', 'agent.yaml', 'work/other']
      for (const [n, file] of named.entries()) linkSync(join(root, file), join(root, 'work', `name-${n}`))
      symlinkSync(join(root, 'audit'), join(root, 'audit', 'circle'))
      const gate = gateOf(`allowed_tools: [write_file, read_file, bash]\nprotected_paths: [${join(root, 'secret')}]`, {
        selfProtected: [join(root, 'audit'), join(root, 'agent.yaml')],
        platform: { ...nodePlatform(root), home: '/home/ada' },
      })
      await look(root, (tool, input) => gate.judge(call(tool, input)))
    } finally {
      rmSync(root, { recursive: true })
    }
  }

  test('is found, wherever the file lies in what is protected', async () => {
    await withLinks(async (root, decide) => {
      for (const [n, rule] of ['self', 'self', 'protected_paths.0', 'self'].entries()) {
        const path = `work/name-${n}`
        for (const input of [{ path }, { path: join(root, path) }, { list: ['work/own', `./${path}`] }]) {
          const { decision, matchedRule, tamperedWith } = await decide('write_file', input)
          assert.deepEqual([decision, matchedRule, tamperedWith !== undefined], ['deny', rule, rule === 'self'], path)
        }
        assert.equal((await decide('bash', { command: `echo x >> ${path}` })).decision, 'deny', path)
        assert.equal((await decide('read_file', { path })).tamperedWith, undefined)
      }
    })
  })

  test('is told from files that have one name, or several that are nobody’s', async () => {
    await withLinks(async (_root, decide) => {
      for (const path of ['work/own', 'work/other', 'work/name-4', 'work', 'work/new'])
        assert.equal((await decide('write_file', { path })).decision, 'allow', path)
    })
  })

  test('where the ledger has more files than can be compared, a file with several names is refused', async () => {
    const names = Array.from({ length: 10_001 }, (_, n) => String(n))
    const disk: Platform = {
      ...emptyDisk,
      realpath: (path) => path,
      fileAt: (path) =>
        path === '/srv/place/audit' || path === '/srv/place' ? undefined : { id: path, links: path.endsWith('two') ? 2 : 1 },
      namesIn: () => names,
    }
    const gate = createGate({ policy: undefined, selfProtected: ['/srv/place/audit'], platform: disk })
    assert.equal((await gate.judge(call('write_file', { path: 'two' }))).reasonCode, 'malformed_request')
    assert.equal((await gate.judge(call('write_file', { path: 'one' }))).decision, 'allow')
  })
})

test('NOT found: in a folder of more than 10,000 files that a policy protects, other names are not all found', async () => {
  const names = Array.from({ length: 10_001 }, (_, n) => String(n))
  const fileAt = (path: string) => (path === '/data' ? undefined : { id: path === '/srv/place/two' ? '/data/0' : path, links: 2 })
  const disk: Platform = { ...emptyDisk, realpath: (path) => path, fileAt, namesIn: () => names }
  const decide = async (path: string) =>
    (await gateOf('allowed_tools: [run]\nprotected_paths: [/data]', { platform: disk }).judge(call('run', { path }))).decision
  assert.deepEqual([await decide('two'), await decide('/data/0')], ['allow', 'deny'])
})

test('a working directory that is moved away and replaced by a link does not hide what its old name leads to', async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'govern-')))
  const work = join(root, 'work')
  try {
    mkdirSync(join(root, 'secret'))
    mkdirSync(work)
    const gate = gateOf(`allowed_tools: [run]\nprotected_paths: [${join(root, 'secret')}]`, { platform: nodePlatform(work) })
    const decide = async (path: string) => (await gate.judge(call('run', { path }))).decision
    assert.deepEqual([await decide(join(work, 'new')), await decide('new')], ['allow', 'allow'])
    renameSync(work, join(root, 'moved'))
    symlinkSync(join(root, 'secret'), work)
    assert.equal(await decide(join(work, 'new')), 'deny')
    assert.equal(await decide('new'), 'allow', 'the server stands in the directory that was moved')
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('a link cannot be hidden behind other paths: values and commands are all resolved, or the call is refused', async () => {
  const disk = linkedDisk({ '/srv/place/link': '/home/ada/.ssh' })
  const decoys = Array.from({ length: 2000 }, (_, n) => `/tmp/${n}`)
  assert.equal(await denies({ paths: ['link', ...decoys] }, 'strict', disk), true)
  assert.equal(await denies({ command: [...decoys, 'link'].join(' ') }, 'strict', disk), true)
  const verdict = await gateOf(SPEC, { platform: disk }).judge(
    call('run', { paths: Array.from({ length: 10_001 }, (_, n) => `/tmp/${n}`) }),
  )
  assert.equal(verdict.reasonCode, 'malformed_request')
})

test('the known hole: in prose, links after the 4,096th path are not followed', async () => {
  const disk = linkedDisk({ '/srv/place/link': '/home/ada/.ssh' })
  const text = (decoys: number) => ['see', ...Array.from({ length: decoys }, (_, n) => `/tmp/${n}`), './link'].join('\n')
  assert.equal(await denies({ text: text(4000) }, 'strict', disk), true)
  assert.equal(await denies({ text: text(6000) }, 'strict', disk), false)
})

test('the known hole: globs and foreign variables are not expanded', async () => {
  for (const command of ['cat ~/.s?h/id_rsa', 'cat $D/id_rsa']) assert.equal(await denies({ command }, 'strict'), false, command)
})

test('what has nothing to do with a protected path passes', async () => {
  const harmless = [
    '',
    ' ',
    'and / or',
    'https://example.com/',
    'https://example.com/a/b?c=d',
    'environment',
    'prod.env',
    '1/2',
    'ssh',
    '/home/ada2',
    '/home/bob/notes',
    '~bob/notes',
    'line one\nline two',
    '100 %',
    '$HOMEPAGE',
    'docs/readme.md',
    'C:/Users/ada',
  ]
  for (const text of harmless) assert.equal(await denies({ text }, 'strict'), false, text)
})

test('the client learns that a path is protected, the record learns which and where', async () => {
  const verdict = await gateOf(SPEC).judge(call('run', { deep: [{ path: '~/.ssh/id_rsa' }] }))
  assert.equal(verdict.decision, 'deny')
  assert.match(verdict.reason, /~\/\.ssh is named at \/deep\/0\/path/)
  assert.equal(verdict.matchedRule, 'protected_paths.0')
  assert.doesNotMatch(JSON.stringify(verdict.decision === 'deny' && verdict.rpcError), /ssh|deep|\.env/)
})

test('protected paths hold in monitor mode', async () => {
  const verdict = await gateOf(`mode: monitor\n${SPEC}`).judge(call('run', { path: '~/.ssh/x' }))
  assert.equal(verdict.decision, 'deny')
})

test('whatever aip-compat refuses as a protected path, strict refuses too', async () => {
  const piece = fc.constantFrom('/home/ada', '~', '.ssh', '/', '..', '.', '.env', 'id_rsa', 'work', ' ', '\\', '/srv/place', 'x')
  const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''))
  const joined = fc.oneof(
    text,
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('/')),
  )
  await fc.assert(
    fc.asyncProperty(joined, async (path) => !(await denies({ path }, 'aip-compat')) || (await denies({ path }, 'strict'))),
    { ...runs, numRuns: runs.numRuns * 4 },
  )
})

describe('AW11: ledger, keys and policy protect themselves', () => {
  const selfProtected = ['/srv/place/audit', '/home/ada/.config/sworn/keys', '/srv/place/agent.yaml']
  const gate = createGate({ policy: undefined, selfProtected, platform: emptyDisk })
  const decide = async (input: unknown) => (await gate.judge(call('write_file', input))).decision

  test('no tool reaches them, with or without a policy', async () => {
    const guarded = createGate({ policy: policyOf('allowed_tools: [write_file]'), selfProtected, platform: emptyDisk })
    for (const path of ['audit', 'audit/log.jsonl', './audit/../audit/x', '~/.config/sworn/keys/k.pem', '/srv/place/agent.yaml']) {
      assert.equal(await decide({ path }), 'deny', path)
      assert.equal((await guarded.judge(call('write_file', { path }))).decision, 'deny', path)
    }
    assert.equal(await decide({ command: 'rm -rf audit' }), 'deny')
  })

  test('the project around them stays usable', async () => {
    for (const path of ['.', '/srv/place', 'auditor', 'audit-notes.md', 'other/agent.yaml', '/', '/proc/self/status', 'src/proc/root'])
      assert.equal(await decide({ path }), 'allow', path)
    assert.equal(await decide({ query: 'the audit of last year' }), 'allow')
  })

  test('resources are held to the same paths', async () => {
    const verdict = await gate.judge({ kind: 'resource', name: 'file:///srv/place/audit/log.jsonl', ids: {} })
    assert.equal(verdict.decision, 'deny')
  })

  test('a resource that is named is read: that is refused, and no tampering', async () => {
    const rpc = { method: 'resources/read' }
    const verdict = await gate.judge({ kind: 'resource', name: 'file:///srv/place/audit/x', ids: {}, rpc })
    assert.deepEqual([verdict.reasonCode, verdict.tamperedWith], ['protected_path', undefined])
  })

  const tampering: [string, string, unknown][] = [
    ['the folder above is moved away', 'move_file', { source: '/srv/place', destination: '/srv/old' }],
    ['another folder takes the place of the one above', 'fs__rename', { source: '/tmp/x', destination: '/srv/place/' }],
    ['the folder above is filled from elsewhere', 'copy_directory', { from: '/tmp/x', to: '/srv/./place' }],
    ['everything is deleted', 'delete_directory', { path: '/srv' }],
    ['a file URL names a host', 'write_file', { uri: 'file://localhost/srv/./place/audit/x' }],
    ['a file URL holds a tab', 'write_file', { uri: ' fi\tle:///srv/place/ag\nent.yaml' }],
    ['folder and name are given apart', 'write_file', { folder: '/srv/other/../place', name: 'agent.yaml' }],
    ['a relative folder and a name are given apart', 'write_file', { at: ['../place/audit', 'x'] }],
    ['the path leads through the process of the server', 'write_file', { path: '/proc/self/task/77/cwd/agent.yaml' }],
    ['the path leads through another process', 'write_file', { path: '/proc/./1/../77/root/srv/place/agent.yaml' }],
    ['the path leads through an open folder', 'write_file', { path: '../../proc/thread-self/fd/9/agent.yaml' }],
  ]
  for (const [what, tool, input] of tampering) {
    test(`is tampering: ${what}`, async () => {
      const verdict = await gate.judge(call(tool, input))
      assert.deepEqual([verdict.reasonCode, verdict.tamperedWith !== undefined], ['protected_path', true])
    })
  }

  test('a tool that takes folders as a whole is told by its name, one that is about something else is not', async () => {
    for (const tool of ['delete_branch', 'git_commit', 'copy_text', 'remove_label', 'list_directory', 'create_directory'])
      assert.equal((await gate.judge(call(tool, { path: '/srv/place' }))).decision, 'allow', tool)
    for (const tool of ['movefile', 'delete_file_or_directory', 'mcp__fs__rm', 'fs-remove', 'rename'])
      assert.equal((await gate.judge(call(tool, { path: '/srv/place' }))).decision, 'deny', tool)
  })
})

describe('tools that put another state of a repository into its folder', () => {
  const gate = createGate({ policy: undefined, selfProtected: ['/srv/place/agent.yaml'], platform: emptyDisk })

  for (const tool of [
    'git_checkout',
    'mcp__git__git_checkout',
    'git.git_reset',
    'git_stash_pop',
    'git_cherry_pick',
    'git_pull',
    'git_clean',
  ])
    test(`${tool} above what protects itself is for a person to decide`, async () => {
      for (const repo_path of ['/srv/place', '/srv', '.', '/srv/./place/'])
        assert.partialDeepStrictEqual(await gate.judge(call(tool, { repo_path, branch_name: 'x' })), {
          decision: 'ask',
          matchedRule: 'self',
        })
      assert.equal((await gate.judge(call(tool, { repo_path: '/srv/other', branch_name: 'x' }))).decision, 'allow')
    })

  test('the others go on', async () => {
    for (const tool of ['git_status', 'git_commit', 'git_add', 'git_log', 'git_diff_staged', 'git_create_branch', 'git_push'])
      assert.equal((await gate.judge(call(tool, { repo_path: '/srv/place' }))).decision, 'allow', tool)
  })

  test('NOT found: a checkout whose folder is not in the call, or that a shell does', async () => {
    assert.equal((await gate.judge(call('git_checkout', { branch_name: 'x' }))).decision, 'allow')
    assert.equal((await gate.judge(call('bash', { command: 'git checkout x' }))).decision, 'allow')
  })
})

test('a long hostile text costs no more than time in its length: this would not end', async () => {
  const gate = gateOf(SPEC)
  for (const part of ['~/a/', '$HOME ', '%25', '"/x"', '\x24{HOME', '\\/.', ' ../', 'a:b:']) {
    assert.notEqual((await gate.judge(call('run', { text: part.repeat(300_000 / part.length) }))).decision, undefined, part)
  }
})
