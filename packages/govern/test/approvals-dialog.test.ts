/** Desktop dialogs: found on PATH, told nothing but the question, killed when the question is gone. @module */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { createDialogChannel, type Desktop, findDialog, hasDisplay } from '../src/approvals/index.ts'
import { ask, createHand, createRoom, requestOf } from './support/approvals.ts'
import { createFakeProgram } from './support/channel-drivers.ts'

const HOSTILE = {
  a: '"; do shell script "touch /tmp/x',
  b: '$(touch /tmp/x) `touch /tmp/x`',
  c: '<span size="1">small</span><b>&amp;</b>',
  d: '\\n\\\\n\\x41 %s %n',
  e: '--text=harmless --timeout=0',
  f: "'); Remove-Item x; ('",
}

type Program = Awaited<ReturnType<typeof createFakeProgram>>

/** What a program would show, out of how it was called. */
const programs: {
  name: string
  platform: NodeJS.Platform
  shown: (program: Program) => string
  yes: [number, string]
  no: [number, string]
}[] = [
  {
    name: 'osascript',
    platform: 'darwin',
    shown: ({ calls: [call] }) => call!.args[call!.args.indexOf('--') + 1]!,
    yes: [0, 'Approve\n'],
    no: [0, 'Refuse\n'],
  },
  {
    name: 'zenity',
    platform: 'linux',
    shown: ({ calls: [call] }) =>
      call!.args
        .find((arg) => arg.startsWith('--text='))!
        .slice(7)
        .replaceAll('\\\\', '\\'),
    yes: [0, ''],
    no: [1, ''],
  },
  {
    name: 'kdialog',
    platform: 'linux',
    shown: ({ calls: [call] }) => call!.args.at(-1)!.replaceAll('\\\\', '\\'),
    yes: [0, ''],
    no: [1, ''],
  },
  {
    name: 'powershell.exe',
    platform: 'win32',
    shown: ({ calls: [call] }) => call!.env.SWORN_QUESTION!.replaceAll('\r\n', '\n'),
    yes: [0, 'Yes'],
    no: [0, 'No'],
  },
]

for (const { name, platform, shown, yes, no } of programs) {
  describe(`the dialog of ${name}`, () => {
    async function answered([code, out]: [number, string], input: unknown = {}) {
      const program = await createFakeProgram(name, platform)
      try {
        const { approvals } = createRoom([createDialogChannel({ desktop: program.desktop, approver: 'ada' })])
        const asked = await ask(approvals, requestOf(input))
        await program.end(code, out)
        const settlement = await asked.settlement
        await approvals.close()
        return { program, settlement, question: asked.question }
      } finally {
        await program.close()
      }
    }

    test('shows hostile text as it is, in one argument or variable, and no script holds any of it', async () => {
      const { program, question, settlement } = await answered(yes, HOSTILE)
      assert.equal(settlement.answer, 'approved')
      assert.equal(shown(program), question.text)
      const rest = program.calls[0]!.args.filter((arg) => !arg.includes(question.id))
      assert.ok(program.calls[0]!.args.length - rest.length <= 1)
      for (const arg of rest) assert.doesNotMatch(arg, /touch|Remove-Item|small/)
    })

    test('passes no variable but those that a display needs', async () => {
      const { program } = await answered(yes)
      const names = Object.keys(program.calls[0]!.env).filter(
        (variable) => !/^(PATH|DISPLAY|XDG_FAKE_SOCKET|SESSIONNAME|SWORN_\w+)$/.test(variable),
      )
      assert.deepEqual(names, [])
    })

    test('approves, refuses, and takes any other end for a failure', async () => {
      assert.equal((await answered(no)).settlement.answer, 'denied')
      for (const end of [
        [2, ''],
        [5, ''],
        [255, 'Approve'],
        [127, 'Yes'],
      ] as [number, string][])
        assert.equal((await answered(end)).settlement.answer, 'unavailable', String(end))
      if (yes[1] !== '') assert.equal((await answered([0, 'gave up'])).settlement.answer, 'unavailable')
    })
  })
}

describe('where a dialog may be shown', () => {
  const desktop = (platform: NodeJS.Platform, env: Desktop['env']): Desktop => ({ platform, env, cwd: '/srv/place' })
  const cases: [Desktop, boolean][] = [
    [desktop('linux', {}), false],
    [desktop('linux', { DISPLAY: '' }), false],
    [desktop('linux', { DISPLAY: ':0' }), true],
    [desktop('linux', { WAYLAND_DISPLAY: 'wayland-0' }), true],
    [desktop('darwin', {}), true],
    [desktop('darwin', { SSH_CONNECTION: '::1 1 ::1 22' }), false],
    [desktop('win32', { SESSIONNAME: 'Console' }), true],
    [desktop('win32', { SESSIONNAME: 'Services' }), false],
    [desktop('win32', {}), false],
  ]
  for (const [where, expected] of cases) {
    test(`${where.platform} with ${JSON.stringify(where.env)} ${expected ? 'has' : 'has no'} display`, () => {
      assert.equal(hasDisplay(where), expected)
    })
  }

  test('without a display no program is started, and the other channels go on', async () => {
    const program = await createFakeProgram('zenity')
    try {
      const { DISPLAY: _none, ...env } = program.desktop.env
      const hand = createHand()
      const { approvals } = createRoom([createDialogChannel({ desktop: { ...program.desktop, env }, approver: 'ada' }), hand.channel])
      const { settlement } = await ask(approvals)
      hand.answer()
      assert.deepEqual((await settlement).members.metadata?.approval.failed, ['dialog: absent'])
      assert.equal(program.calls.length, 0)
    } finally {
      await program.close()
    }
  })

  test('programs in the working directory, in node_modules, on relative entries, or not executable are not used', () => {
    const dir = mkdtempSync(join(tmpdir(), 'path-'))
    try {
      const put = (...names: string[]) => {
        mkdirSync(join(dir, ...names), { recursive: true })
        writeFileSync(join(dir, ...names, 'zenity'), '#!/bin/sh\n', { mode: 0o755 })
        return join(dir, ...names)
      }
      const find = (PATH: string, cwd = '/srv/place') => findDialog({ platform: 'linux', env: { DISPLAY: ':0', PATH }, cwd })?.file
      const good = put('bin')
      assert.equal(find(good), join(good, 'zenity'))
      assert.equal(find(put('node_modules', '.bin')), undefined)
      assert.equal(find(good, dir), undefined)
      assert.equal(find(relative(process.cwd(), good)), undefined)
      assert.equal(find(''), undefined)
      chmodSync(join(good, 'zenity'), 0o644)
      assert.equal(find(good), undefined)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

test('a dialog that ignores the request to end is killed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'stubborn-'))
  try {
    const program = await createFakeProgram('zenity')
    const pidFile = join(dir, 'pid')
    writeFileSync(
      join(dir, 'zenity'),
      `#!/bin/sh\ntrap '' TERM\necho $$ >'${pidFile}'\n'${join(program.desktop.env.PATH, 'zenity')}' "$@"\n`,
      { mode: 0o755 },
    )
    const desktop = { ...program.desktop, env: { ...program.desktop.env, PATH: `${dir}:${program.desktop.env.PATH}` } }
    const { approvals, time } = createRoom([createDialogChannel({ desktop, approver: 'ada', killAfterMs: 50 })])
    await ask(approvals)
    await program.called()
    time.pass(60_000)
    await approvals.close()
    assert.throws(() => execFileSync('/bin/sh', ['-c', `kill -0 "$(cat '${pidFile}')"`], { stdio: 'ignore' }))
    await program.close()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
