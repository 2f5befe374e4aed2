/** What a start loads: parsers and checkers only where there is something to parse. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

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

async function loadedByCommand(argv: (dir: string) => readonly string[], stdin = ''): Promise<readonly string[]> {
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
  assert.ok(!urls.includes('node:sqlite'))
  return [...new Set(urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []))].toSorted()
}

test('a proxy without configuration and policy loads no YAML, no schemas and no pattern engine', async () => {
  assert.deepEqual(await loadedBy(() => []), ['canonicalize'])
})

test('a hook without configuration and policy loads no YAML, no schemas, no pattern engine and no SQLite', async () => {
  const call = { session_id: 's', tool_name: 'Read', tool_input: { file_path: 'a' }, tool_use_id: 'c' }
  const found = await loadedByCommand(() => ['hook', 'claude-code', 'PreToolUse'], JSON.stringify(call))
  assert.deepEqual(found, ['canonicalize'])
})

test('a policy brings its reader along', async () => {
  const found = await loadedBy((dir) => {
    writeFileSync(join(dir, 'agent.yaml'), POLICY)
    return ['--policy', 'agent.yaml']
  })
  for (const name of ['yaml', 'zod', 're2js']) assert.ok(found.includes(name), name)
})
