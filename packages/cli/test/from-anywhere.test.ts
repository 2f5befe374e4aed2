/** docs/guides/from-anywhere.md: its commands and its program run as they stand, against a real server. @module */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sworn, temporary } from './support/io.ts'
import { SWORN } from './support/process.ts'
import { startServe, tokenOf } from './support/served.ts'

const GUIDE = readFileSync(fileURLToPath(new URL('../../../docs/guides/from-anywhere.md', import.meta.url)), 'utf8')
const run = promisify(execFile)

/** The fences of one language that name a thing: the server's paths, or the command. */
function fencesOf(language: 'sh' | 'python', names: RegExp): readonly string[] {
  const all = [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code]) => code!)
  return all.filter((code) => names.test(code))
}

const OF_SERVER = /\/v1\//
const OF_COMMAND = /"record"|sworn record/

const missing = ['curl', 'python3'].filter((program) => spawnSync(program, ['--version']).status !== 0)
const skip = missing.length > 0 && `SKIPPED: ${missing.join(' and ')} are not here; nothing shows that the guide's examples run`

test('the examples of the guide, in a shell and in Python, are recorded; the span that is sent twice is recorded once', {
  timeout: 120_000,
  skip,
}, async () => {
  const here = { cwd: realpathSync(temporary()), home: temporary() }
  const server = await startServe(here)
  const env = { PATH: process.env.PATH ?? '', SWORN_URL: server.url, SWORN_TOKEN: tokenOf(here, 'report') }
  const [event, lines, span, ...more] = fencesOf('sh', OF_SERVER)
  assert.deepEqual([more, fencesOf('python', OF_SERVER).length], [[], 1])
  const shell = async (code: string) => (await run('sh', ['-c', code], { env })).stdout
  assert.match(await shell(event!), /^\{"seq":\d+,"entry_hash":"[0-9a-f]{64}"\}$/)
  assert.equal((await shell(lines!)).match(/"seq":\d+/g)?.length, 2)
  assert.deepEqual([await shell(span!), await shell(span!)], ['{}', '{}'])
  const { stdout } = await run('python3', ['-c', fencesOf('python', OF_SERVER)[0]!], { env })
  assert.match(stdout, /^\d+\n$/)
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
  const { out } = await sworn(['query', '--format', 'jsonl', '--type', 'tool_call_end,tool_call_error,data_access'], here)
  const told = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    told.map(({ target, tool, source }) => [target ?? tool, source.vantage]).toSorted(),
    ['crm.contacts', 'fetch', 'read_file', 'search', 'summarise'].map((name) => [name, 'reported']),
  )
})

test('the examples of the command, in a shell and in Python, are recorded', { timeout: 120_000, skip }, async () => {
  const here = { cwd: realpathSync(temporary()), home: temporary() }
  const bin = temporary()
  writeFileSync(join(bin, 'sworn'), `#!/bin/sh\nexec ${SWORN.join(' ')} "$@"\n`, { mode: 0o755 })
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: here.home, SWORN_HOME: here.home, SWORN_RECORDER: 'off' }
  const runIn = async (program: string, code: string) => (await run(program, ['-c', code], { env, cwd: here.cwd })).stdout
  const [shell, ...moreShell] = fencesOf('sh', OF_COMMAND)
  const [python, ...morePython] = fencesOf('python', OF_COMMAND)
  assert.deepEqual([moreShell, morePython], [[], []])
  assert.match(await runIn('sh', shell!), /^\{"seq":\d+,"entry_hash":"[0-9a-f]{64}"/)
  assert.match(await runIn('python3', python!), /^\d+\n\d+\n$/)
  const { out } = await sworn(['query', './audit', '--format', 'jsonl', '--type', 'tool_call_start,tool_call_end,data_access'], here)
  const told = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    told.map(({ event_type }) => event_type),
    ['data_access', 'tool_call_start', 'tool_call_end'],
  )
})
