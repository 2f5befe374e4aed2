/** A collector and the process that delivers to it, both killed again and again: the mirror is the ledger, and nobody is accused. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endWithTests } from '../../../testkit/src/children.ts'
import { seededRandom } from '../../../testkit/src/index.ts'
import { append, linesOf, makePlace, openAt } from '../../../testkit/src/sink-contract.ts'
import { count } from '../../../testkit/src/suite.ts'

const CHILD = fileURLToPath(new URL('support/collector-child.ts', import.meta.url))
const KILLS = count({ fast: 2, ci: 6, full: 60 })
const EVENTS = count({ fast: 150, ci: 1500, full: 20_000 })
const SEED = 20_261_122

interface Child {
  readonly process: ChildProcess
  readonly said: string
  readonly errors: () => string
}

async function startChild(...args: string[]): Promise<Child> {
  const child = endWithTests(
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source', CHILD, ...args], { stdio: 'pipe' }),
  )
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => void (errors += text))
  const [said] = await once(createInterface(child.stdout!), 'line')
  return { process: child, said: String(said), errors: () => errors }
}

async function kill({ process: child }: Child): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test(`both killed ${KILLS} times over ${EVENTS} events: the mirror holds every line once, and no fork was seen (seed ${SEED})`, async () => {
  const random = seededRandom(SEED)
  const directory = mkdtempSync(join(tmpdir(), 'sworn-collector-'))
  const place = makePlace()
  const ledger = openAt(place, { rotateBytes: 64 << 10 })
  const { origin, logId } = ledger.info
  let collector = await startChild('collect', directory, '0')
  const { said: port } = collector
  const url = `http://127.0.0.1:${port}`
  const accused: string[] = []
  const step = Math.floor(EVENTS / (KILLS + 1))
  for (let n = 0; n < KILLS; n++) {
    const producer = await startChild('deliver', place.path, origin, url)
    append(ledger, n * step, step, 50)
    await wait(Math.floor(random() * 200))
    if (n % 3 !== 0) await kill(collector)
    if (n % 3 !== 1) await kill(producer)
    accused.push(collector.errors())
    if (n % 3 !== 0) collector = await startChild('collect', directory, port)
    if (n % 3 === 1) await kill(producer)
  }
  append(ledger, KILLS * step, EVENTS - KILLS * step, 50)
  ledger.close()
  const last = await startChild('deliver', place.path, origin, url)
  const answered = once(createInterface(last.process.stdout!), 'line')
  last.process.stdin!.write('\n')
  assert.deepEqual(await answered, ['idle'], 'not everything was delivered in time')
  last.process.stdin!.end()
  await once(last.process, 'exit')
  await kill(collector)
  assert.deepEqual(linesOf(join(directory, 'mirrors', logId)), linesOf(place.path))
  assert.deepEqual([...accused, collector.errors()].join(''), '')
})
