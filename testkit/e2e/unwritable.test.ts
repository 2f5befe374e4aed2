/**
 * A ledger that cannot be written any more under a running proxy, on a real kernel.
 *
 * Disk full: a tmpfs of 2 MiB in a mount namespace of the proxy's own. Read-only: the immutable attribute, which
 * stops root too. Permission: the proxy runs as nobody. Where the machine forbids one of them, that is said aloud.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { later } from '../src/suite.ts'
import { type Place, sworn } from './support/cli.ts'
import { allowing, type Connected, connect, SERVERS, watched } from './support/mcp.ts'
import { temporary } from './support/temporary.ts'

/** What goes wrong, and how it is put right; `root` is where the proxy sees its files. */
interface Fault {
  readonly break: (ledger: string, root: string) => void
  /** Absent: the operator has to decide. */
  readonly mend?: (ledger: string, root: string) => void
  readonly wrap?: (place: Place) => readonly string[]
  readonly possible?: () => boolean
  /** Closing waits for a recorder that never comes. */
  readonly slow?: true
}

const run = (...argv: string[]) => spawnSync(argv[0]!, argv.slice(1), { encoding: 'utf8' })
/** Makes everything below immutable; chattr complains about the socket, which has no attributes. */
const freeze = (path: string) => run('chattr', '-R', '+i', path).error === undefined && /^----i/.test(run('lsattr', '-d', path).stdout)
const thaw = (path: string) => void run('chattr', '-R', '-i', path)
const isFreezable = (path: string) => {
  const possible = freeze(path)
  thaw(path)
  return possible
}
const MOUNT = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'

const FAULTS: Readonly<Record<string, Fault>> = {
  'the disk is full': {
    possible: () => run('unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt').status === 0,
    wrap: ({ cwd }) => ['unshare', '-m', 'sh', '-c', MOUNT, join(cwd, 'disk')],
    break: (ledger) => void run('dd', 'if=/dev/zero', `of=${join(ledger, '..', 'filler')}`, 'bs=4096', 'status=none'),
    mend: (ledger) => rmSync(join(ledger, '..', 'filler')),
  },
  'its files are read-only': {
    possible: () => isFreezable(temporary()),
    break: (ledger) => assert.ok(freeze(ledger)),
    mend: thaw,
  },
  'its directory was moved away and a file stands there': {
    break: (ledger) => {
      renameSync(ledger, `${ledger}.away`)
      writeFileSync(ledger, 'not a ledger\n')
    },
    mend: (ledger) => {
      rmSync(ledger)
      renameSync(`${ledger}.away`, ledger)
    },
  },
  'its directory was removed': { slow: true, break: (ledger) => rmSync(ledger, { recursive: true }) },
}

interface Seen {
  readonly passed: string[]
  readonly refused: { readonly mark: string; readonly error: unknown }[]
}

/** Calls until `enough` were refused, or until one passed. */
async function callUntil(proxy: Connected, name: string, stop: (seen: Seen) => boolean): Promise<Seen> {
  const seen: Seen = { passed: [], refused: [] }
  for (let n = 0; !stop(seen); n++) {
    assert.ok(n < 500, `${name}: ${seen.passed.length} passed, ${seen.refused.length} refused`)
    const mark = `${name}-${n}.`
    try {
      await proxy.call('echo', { words: mark + 'x'.repeat(2000) })
      seen.passed.push(mark)
    } catch (error) {
      seen.refused.push({ mark, error })
      await wait(20) // the ledger tries again every 250 ms
    }
  }
  return seen
}

for (const [what, fault] of Object.entries(FAULTS)) {
  const possible = fault.possible?.() ?? true
  if (!possible) console.error(`SKIPPED: ${what}: not permitted here`)
  test(`when ${what} calls are refused and never reach the server, and ${fault.mend ? 'go on by themselves afterwards' : 'the way out is said'}`, {
    skip: possible ? fault.slow && later : 'not permitted here',
    timeout: 120_000,
  }, async () => {
    const place: Place = { cwd: temporary(), home: temporary() }
    mkdirSync(join(place.cwd, 'disk'))
    const [path, seenFile] = [join(place.cwd, 'disk', 'audit'), join(place.cwd, 'seen')]
    const wrapped = { ...place, ...(fault.wrap && { wrap: fault.wrap(place) }) }
    const proxy = await connect(['--audit-log', path, ...allowing(place, 'echo')], watched(SERVERS.testkit(), seenFile), wrapped)
    const root = fault.wrap ? `/proc/${proxy.pid}/root` : ''
    const ledger = root + path
    try {
      await suffer({ fault, proxy, ledger, root, seenFile })
      if (fault.wrap) cpSync(ledger, join(place.cwd, 'copy'), { recursive: true, filter: (name) => !name.endsWith('.sock') }) // gone with the proxy
    } finally {
      thaw(ledger)
      await proxy.close()
    }
    if (!fault.mend) {
      const next = await sworn(['record', path], place, '{"event_type":"data_access"}')
      assert.equal(next.code, 3)
      assert.match(next.err, /^error: LEDGER_ROLLBACK .*\nhint: .*sworn init --reason/)
    } else if (!fault.wrap) await checkVerified(path, 'signed', place)
  })
}

async function checkVerified(ledger: string, level: 'chain' | 'signed', place: Place): Promise<void> {
  const verified = await sworn(['verify', ledger, '--require', level, '--strict'], place)
  assert.equal(verified.code, 0, verified.out + verified.err)
}

interface Scene {
  readonly fault: Fault
  readonly proxy: Connected
  readonly ledger: string
  readonly root: string
  readonly seenFile: string
}

async function suffer({ fault, proxy, ledger, root, seenFile }: Scene): Promise<void> {
  const before = await callUntil(proxy, 'before', ({ passed }) => passed.length === 3)
  fault.break(ledger, root)
  const during = await callUntil(proxy, 'during', ({ refused }) => refused.length === 3)
  for (const { error } of during.refused) assert.match(String(error), /-32603.*Audit log unavailable: the call was not executed/)
  assert.match(proxy.errors(), /sworn: the audit log cannot be written: (APPEND|RECORDER)_[A-Z]+ .*\(at .*\/audit/)
  const after = fault.mend ? await mend(fault.mend, proxy, ledger, root) : []
  const seen = readFileSync(seenFile, 'utf8')
  for (const { mark } of during.refused) assert.ok(!seen.includes(mark), `${mark} reached the server`)
  const recorded = fault.mend ? readLines(ledger) : []
  const intents = recorded.filter((e) => e.event_type === 'authorization_decision')
  if (fault.mend)
    for (const mark of [...before.passed, ...during.passed, ...after])
      assert.equal(intents.filter((e) => JSON.stringify(e.arguments).includes(mark)).length, 1, mark)
  const started = new Set(recorded.flatMap((e) => (e.event_type === 'tool_call_start' ? [e.correlation_id] : [])))
  for (const { mark } of during.refused)
    assert.ok(!intents.some((e) => JSON.stringify(e.arguments).includes(mark) && started.has(e.correlation_id)), mark)
}

async function mend(repair: NonNullable<Fault['mend']>, proxy: Connected, ledger: string, root: string): Promise<string[]> {
  repair(ledger, root)
  const { passed } = await callUntil(proxy, 'after', (seen) => seen.passed.length === 3)
  assert.match(proxy.errors(), /sworn: the audit log is written again\n/)
  return passed
}

function readLines(ledger: string): Record<string, unknown>[] {
  const names = readdirSync(join(ledger, 'segments')).filter((name) => name.endsWith('.jsonl'))
  const text = names.map((name) => readFileSync(join(ledger, 'segments', name), 'utf8')).join('')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}
