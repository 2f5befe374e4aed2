/** What a start loads: parsers and checkers only where there is something to parse. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { GENESIS, linkLine } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'

const BIN = fileURLToPath(new URL('../src/bin.ts', import.meta.url))
const POLICY = 'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec: {allowed_tools: [echo]}\n'
/** Prints every address that is loaded, at the end, on stderr. */
const WATCH = `
import { registerHooks } from 'node:module'
const seen = []
registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context) } })
process.on('exit', () => process.stderr.write('\\nLOADED ' + JSON.stringify(seen) + '\\n'))
`

/** Names of the packages of others that one run of `sworn proxy` loads. */
function loadedBy(flags: (dir: string) => readonly string[]): Promise<readonly string[]> {
  return loadedByCommand((dir) => ['proxy', ...flags(dir), '--', process.execPath, '-e', '0'])
}

async function loadedByCommand(
  argv: (dir: string) => readonly string[],
  { stdin = '', isIndexed = false } = {},
): Promise<readonly string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'sworn-start-'))
  const watch = join(dir, 'watch.mjs')
  writeFileSync(watch, WATCH)
  const node = ['--conditions=sworn-source', '--disable-warning=ExperimentalWarning', '--import', pathToFileURL(watch).href, BIN]
  const running = promisify(execFile)(process.execPath, [...node, ...argv(dir)], {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir, SWORN_HOME: join(dir, 'home'), SWORN_RECORDER: 'off' },
  })
  running.child.stdin!.end(stdin) // a pipe, as nothing else was asked for
  const { stderr } = await running
  const urls: string[] = JSON.parse(/^LOADED (.*)$/m.exec(stderr)![1]!)
  assert.ok(isIndexed || !urls.includes('node:sqlite'))
  return [...new Set(urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []))].toSorted()
}

test('a proxy without configuration and policy loads no YAML, no schemas and no pattern engine', async () => {
  assert.deepEqual(await loadedBy(() => []), ['canonicalize'])
})

test('a hook without configuration and policy loads no YAML, no schemas, no pattern engine and no SQLite', async () => {
  const call = { session_id: 's', tool_name: 'Read', tool_input: { file_path: 'a' }, tool_use_id: 'c' }
  const found = await loadedByCommand(() => ['hook', 'claude-code', 'PreToolUse'], { stdin: JSON.stringify(call) })
  assert.deepEqual(found, ['canonicalize'])
})

test('a policy brings its reader along', async () => {
  const found = await loadedBy((dir) => {
    writeFileSync(join(dir, 'agent.yaml'), POLICY)
    return ['--policy', 'agent.yaml']
  })
  for (const name of ['yaml', 'zod', 're2js']) assert.ok(found.includes(name), name)
})

/** What one run loads of others' packages over a ledger of one entry; the memory of a command begins with it. */
function loadedByReading(argv: readonly string[], isIndexed = false): Promise<readonly string[]> {
  return loadedByCommand(
    (dir) => {
      mkdirSync(join(dir, 'audit', 'segments'), { recursive: true })
      const { line } = linkLine(nodePrimitives, 'sha256', '{"timestamp":"2026-01-02T03:04:05.678Z","event_type":"data_access"}', 0, GENESIS)
      writeFileSync(join(dir, 'audit', 'segments', `${'0'.repeat(20)}.jsonl`), Buffer.concat([line, Buffer.from('\n')]))
      return argv
    },
    { isIndexed },
  )
}

test('what reads a ledger loads no filters, formats, checks of foreign logs and statements that this run does not use', async () => {
  const width = ['emoji-regex', 'get-east-asian-width', 'string-width', 'strip-ansi', 'ansi-regex', 'is-fullwidth-code-point']
  const others = async (argv: readonly string[], isIndexed = false) => {
    const found = await loadedByReading(argv, isIndexed)
    return found.filter((name) => !width.includes(name)) // of tables: small
  }
  assert.deepEqual(await others(['query', 'audit', '--no-index', '--count-by', 'tool']), [])
  assert.deepEqual(await others(['query', 'audit', '--count-by', 'tool'], true), ['kysely'])
  assert.deepEqual(await others(['query', 'audit', '--no-index', '--where', 'seq > 1.0']), ['@marcbachmann/cel-js', 're2js'])
  assert.deepEqual(await others(['report', 'audit', '--unchecked', '--framework', 'soc2']), ['@marcbachmann/cel-js', 're2js'])
  assert.deepEqual(await others(['export', 'audit', '--dialect', 'ocsf']), ['canonicalize', 'lossless-json'])
})
