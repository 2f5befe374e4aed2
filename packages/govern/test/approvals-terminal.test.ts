/** The terminal as a channel: what is typed, and a real pseudo-terminal while stdio belongs to MCP. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { endWithTests } from '../../../testkit/src/children.ts'
import { later } from '../../../testkit/src/suite.ts'
import { isForeground } from '../src/approvals/channels/controlling-terminal.ts'
import { createTerminalChannel } from '../src/approvals/index.ts'
import { ask, createHand, createRoom, requestOf } from './support/approvals.ts'
import { createFakeTerminal } from './support/channel-drivers.ts'
import { runs } from './support/make.ts'

function terminalRoom(code = () => '482') {
  const { open, opened } = createFakeTerminal()
  const room = createRoom([createTerminalChannel({ open, approver: 'ada', code })])
  return { ...room, opened, type: (text: string | Buffer) => opened.at(-1)!.input.write(text) }
}

describe('at a terminal', () => {
  for (const [typed, answer, scope] of [
    ['yes 482\n', 'approved', 'once'],
    ['  YES 482 \r', 'approved', 'once'],
    ['session 482\n', 'approved', 'session'],
    ['call 482\n', 'approved', 'call'],
    ['no\n', 'denied', 'once'],
    ['\n\nwhat?\nyes 482\n', 'approved', 'once'],
  ] as const) {
    test(`${JSON.stringify(typed)} means ${answer}, ${scope}`, async () => {
      const { approvals, type, opened } = terminalRoom()
      const { question, settlement } = await ask(approvals)
      type(typed)
      const { members, answer: said } = await settlement
      await approvals.close()
      assert.deepEqual([said, members.metadata?.approval.scope, members.human_decision?.approver], [answer, scope, 'ada'])
      assert.ok(opened[0]!.screen().includes(question.text))
      assert.ok(opened[0]!.screen().includes(`settled (${answer})`))
    })
  }

  test('nothing that lacks the code approves, whatever is typed, pasted or left in the keyboard buffer', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('y', 'yes', 'yes 481', 'yes 4820', 'yes482', 'session', '482', 'yes yes 482'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.nat(200), async (lines, cut) => {
        const { approvals, type, time } = terminalRoom()
        const { settlement } = await ask(approvals)
        const bytes = Buffer.from(`${lines.join('\n')}\n`)
        type(bytes.subarray(0, cut)) // in two pieces, also within a character
        type(bytes.subarray(cut))
        await new Promise(setImmediate)
        time.pass(60_000)
        assert.notEqual((await settlement).answer, 'approved')
        await approvals.close()
      }),
      { ...runs, numRuns: Math.ceil(runs.numRuns / 3) },
    )
  })

  test('after five lines that are no answer the terminal is given up; a line without end costs no memory', async () => {
    const { approvals, type, opened } = terminalRoom()
    const { settlement } = await ask(approvals)
    for (let n = 0; n < 64; n++) type(Buffer.alloc(65_536, 'y'))
    type('\na\nb\nc\nd\n')
    const { answer, members } = await settlement
    assert.deepEqual([answer, members.metadata?.approval.failed], ['unavailable', ['terminal: unusable_answer']])
    assert.equal(opened[0]!.isOpen(), false)
  })

  test('a line that is too long is no answer, whatever it begins with', async () => {
    const { approvals, type, time } = terminalRoom()
    const { settlement } = await ask(approvals)
    type(`yes 482${' '.repeat(300)}if you must\n`)
    await new Promise(setImmediate)
    time.pass(60_000)
    assert.equal((await settlement).answer, 'timeout')
  })

  test('questions are shown one after the other, and the code of one is no answer to the next', async () => {
    let n = 0
    const { approvals, type, opened } = terminalRoom(() => String(100 + n++))
    const [first, second] = [await ask(approvals), await ask(approvals, requestOf({ n: 2 }))]
    assert.equal(opened.length, 1)
    type('yes 100\nyes 100\n')
    assert.equal((await first.settlement).answer, 'approved')
    await new Promise(setImmediate)
    assert.equal(opened.length, 2)
    type('yes 100\nyes 101\n')
    const { members } = await second.settlement
    assert.equal(members.human_decision?.shown_hash, second.question.shownHash)
  })

  test('a question that is withdrawn while it queues is never shown', async () => {
    const { approvals, opened } = terminalRoom()
    const [, second] = [await ask(approvals), await ask(approvals, requestOf({ n: 2 }))]
    second.cancel()
    assert.equal((await second.settlement).members.human_decision, undefined)
    await approvals.close()
    assert.equal(opened.length, 1)
  })

  test('a terminal that cannot be opened leaves the question to the others', async () => {
    const hand = createHand()
    const absent = createTerminalChannel({ open: () => assert.fail('no terminal'), approver: 'ada', code: () => '1' })
    const { approvals } = createRoom([absent, hand.channel])
    const { settlement } = await ask(approvals)
    hand.answer()
    assert.deepEqual((await settlement).members.metadata?.approval.failed, ['terminal: absent'])
  })
})

describe('the foreground', () => {
  const facts = (stat: string, ps = '') => ({ readStat: () => stat, runPs: () => ps })
  test('is read from /proc/self/stat or ps, whatever the process is called', () => {
    assert.equal(isForeground('linux', facts('7 (a) R 1 2 (x) S 1 40 40 34816 40 4194304')), true)
    assert.equal(isForeground('linux', facts('7 (node) S 1 40 40 34816 41 4194304')), false)
    assert.equal(isForeground('linux', facts('7 (node) S 1 40 40 0 -1 4194304')), false)
    assert.equal(isForeground('darwin', facts('', '  40  40\n')), true)
    assert.equal(isForeground('darwin', facts('', '  40  0\n')), false)
  })
  test('is denied when it cannot be found out', () => {
    assert.equal(isForeground('linux', { ...facts(''), readStat: () => assert.fail('no /proc') }), false)
    assert.equal(isForeground('linux', facts('')), false)
  })
})

const hasPty = process.platform === 'linux' && ['/usr/bin/script', '/bin/script'].some((file) => existsSync(file))
const skip = hasPty ? false : 'script(1) is not installed: the real pseudo-terminal is NOT tested'
const CHILD = join(import.meta.dirname, 'support', 'terminal-child.ts')
const NODE = `'${process.execPath}' --conditions=sworn-source --disable-warning=ExperimentalWarning '${CHILD}'`

interface Ran {
  readonly screen: string
  readonly out: Record<string, unknown> & { readonly answer: string; readonly heard: string }
  readonly modes: readonly [string, string]
}

/** Runs a shell command on a new pseudo-terminal; `react` types when the screen shows what it waits for. */
async function onTerminal(command: (node: string) => string, react: (screen: string) => string | undefined, first = ''): Promise<Ran> {
  const dir = mkdtempSync(join(tmpdir(), 'terminal-'))
  try {
    writeFileSync(join(dir, 'in'), '{"jsonrpc":"2.0"}\n')
    const node = `${NODE} $1 <'${dir}/in' >'${dir}/out'`
    const modes = (name: string) => `stty -g </dev/tty >'${dir}/${name}'`
    writeFileSync(join(dir, 'run.sh'), `${modes('before')}\n${command(node)}\n${modes('after')}\n`)
    const child = endWithTests(spawn('script', ['-qec', `sh '${dir}/run.sh'`, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] }))
    let screen = ''
    let isTyped = false
    child.stdin.write(first)
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      screen += part
      const text = isTyped ? undefined : react(screen)
      if (text === undefined) return
      isTyped = true
      child.stdin.write(text)
    })
    await new Promise((resolve) => child.once('close', resolve))
    const read = (name: string) => readFileSync(join(dir, name), 'utf8')
    return { screen, out: JSON.parse(read('out')), modes: [read('before'), read('after')] }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

describe('on a real pseudo-terminal, with stdin and stdout given to MCP', { skip }, () => {
  const typing = (text: string) => (screen: string) => (screen.includes('refuse\r\n> ') ? text : undefined)

  test('a person approves; stdin is not read for it, stdout has no word of it, the modes are as before', async () => {
    const { screen, out, modes } = await onTerminal((node) => node, typing('yes 482\n'))
    assert.equal(out.answer, 'approved')
    assert.partialDeepStrictEqual(out.human_decision, { approved: true, approver: 'ada', channel: 'terminal' })
    assert.equal(out.heard, '{"jsonrpc":"2.0"}\n')
    assert.match(screen, /sworn asks: may this tool call run\?/)
    assert.match(screen, /settled \(approved\)/)
    assert.equal(modes[0], modes[1])
  })

  test('a person refuses', { skip: later }, async () => {
    assert.equal((await onTerminal((node) => node, typing('no\n'))).out.answer, 'denied')
  })

  test('in the background of the terminal nobody is asked, and the process is not stopped', { skip: later }, async () => {
    const { out, screen } = await onTerminal(
      (node) => `set -m\n${node} &\nwait`,
      () => undefined,
    )
    assert.equal(out.answer, 'unavailable')
    assert.doesNotMatch(screen, /sworn asks/)
  })

  test('without any terminal nobody is asked', { skip: later }, async () => {
    const { out } = await onTerminal(
      (node) => `setsid -w sh -c "$(cat <<'END'\n${node}\nEND\n)"`,
      () => undefined,
    )
    assert.equal(out.answer, 'unavailable')
  })

  test('a terminal that is held with Ctrl-S holds up neither the time limit nor the exit', { skip: later }, async () => {
    const { out, screen } = await onTerminal(
      (node) => node.replace('$1', '1000'),
      () => undefined,
      '\u0013',
    )
    assert.equal(out.answer, 'timeout')
    assert.doesNotMatch(screen, /sworn asks/)
  })
})
