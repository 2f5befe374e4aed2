/** Saves are noticed however they are made; nothing else is. @module */
import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Closable, watchFiles } from '../src/config/index.ts'
import { temporaryDirectory } from './support/temporary.ts'

interface Watched {
  readonly directories: string[]
  /** Something happened in the first directory. */
  speak(name: string | null): void
  /** The time of gathering is over. */
  elapse(): void
  readonly changes: () => number
  readonly open: () => number
  readonly watcher: Closable
}

function watched(files: readonly string[]): Watched {
  const listeners: ((name: string | null) => void)[] = []
  const directories: string[] = []
  const timers = new Set<() => void>()
  let changes = 0
  let open = 0
  const watcher = watchFiles(
    files,
    () => void changes++,
    (directory) => assert.fail(`blind in ${directory}`),
    {
      watch(directory, listener) {
        directories.push(directory)
        listeners.push(listener)
        open++
        return { close: () => void open-- }
      },
      after(_ms, run) {
        timers.add(run)
        return () => void timers.delete(run)
      },
    },
  )
  const elapse = () => {
    for (const run of [...timers]) {
      timers.delete(run)
      run()
    }
  }
  return { directories, speak: (name) => listeners[0]!(name), elapse, changes: () => changes, open: () => open, watcher }
}

test('the pieces of one save are one change, other files of the directory are none', () => {
  const it = watched(['/etc/app/sworn.yaml', '/etc/app/agent.yaml'])
  assert.deepEqual(it.directories, ['/etc/app'])
  for (const name of ['audit.jsonl', 'sworn.yaml.swp', 'sworn.yam']) it.speak(name)
  it.elapse()
  assert.equal(it.changes(), 0)
  for (const name of ['sworn.yaml', 'sworn.yaml', 'agent.yaml']) it.speak(name)
  it.elapse()
  assert.equal(it.changes(), 1)
  it.speak(null) // a platform that does not say which
  it.elapse()
  it.speak('..data') // how a mounted directory is swapped
  it.elapse()
  assert.equal(it.changes(), 3)
})

test('a steady stream of saves is reported all the same, and nothing after the end', () => {
  const it = watched(['/etc/app/sworn.yaml'])
  for (let n = 0; n < 3; n++) {
    it.speak('sworn.yaml')
    it.speak('sworn.yaml')
    it.elapse()
  }
  assert.equal(it.changes(), 3)
  it.speak('sworn.yaml')
  it.watcher.close()
  it.elapse()
  assert.deepEqual([it.changes(), it.open()], [3, 0])
})

const saves: [string, (file: string) => void][] = [
  ['in place', (file) => writeFileSync(file, 'b')],
  [
    'by rename',
    (file) => {
      writeFileSync(`${file}.tmp`, 'b')
      renameSync(`${file}.tmp`, file)
    },
  ],
  ['by removing it', (file) => rmSync(file)],
]
for (const [how, save] of saves) {
  test(`a real file that is saved ${how} is noticed`, { timeout: 60_000 }, async () => {
    const file = join(temporaryDirectory(), 'sworn.yaml')
    writeFileSync(file, 'a')
    await noticed([file], () => save(file))
  })
}

test('a file that is replaced by rename is noticed every time, not only the first', { timeout: 60_000 }, async () => {
  const file = join(temporaryDirectory(), 'sworn.yaml')
  writeFileSync(file, '0')
  let heard = Promise.withResolvers<void>()
  const watcher = watchFiles(
    [file],
    () => heard.resolve(),
    () => assert.fail('blind'),
  )
  for (let n = 1; n <= 4; n++) {
    writeFileSync(`${file}.tmp`, String(n))
    renameSync(`${file}.tmp`, file)
    await heard.promise
    heard = Promise.withResolvers()
  }
  watcher.close()
})

test('a file that does not exist yet, and the target of a link, are noticed', { timeout: 60_000 }, async () => {
  const root = temporaryDirectory()
  await noticed([join(root, 'new.yaml')], () => writeFileSync(join(root, 'new.yaml'), 'a'))
  mkdirSync(join(root, 'elsewhere'))
  const target = join(root, 'elsewhere', 'real.yaml')
  writeFileSync(target, 'a')
  symlinkSync(target, join(root, 'linked.yaml'))
  await noticed([join(root, 'linked.yaml')], () => writeFileSync(target, 'b'))
})

test('a directory that cannot be watched is told, one that does not exist is not', () => {
  const blind: string[] = []
  const fail = (code: string) => Object.assign(new Error(code), { code })
  watchFiles(
    ['/missing/a', '/full/b'],
    () => {},
    (directory) => void blind.push(directory),
    {
      watch: (directory) => {
        throw fail(directory === '/missing' ? 'ENOENT' : 'ENOSPC')
      },
    },
  ).close()
  assert.deepEqual(blind, ['/full'])
})

/** Resolves when the change made by `save` was reported by the real file system. */
async function noticed(files: readonly string[], save: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const alive = setInterval(() => {}, 1000) // the watch itself keeps no process alive
  const after = (_ms: number, run: () => void) => {
    queueMicrotask(run)
    return () => {}
  }
  const watcher = watchFiles(files, resolve, () => {}, { after })
  save()
  await promise
  clearInterval(alive)
  watcher.close()
}
