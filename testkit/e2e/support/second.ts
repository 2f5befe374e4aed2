/**
 * The verifier written a second time (vectors/verify.py), beside the first one: both judge a log alike.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FindingClass, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { temporary } from './temporary.ts'

const SCRIPT = fileURLToPath(new URL('../../../vectors/verify.py', import.meta.url))
/** Many logs in one process: for each whether it holds, and the root or the reason. */
const HARNESS = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("second", sys.argv[1])
second = importlib.util.module_from_spec(spec)
spec.loader.exec_module(second)
for path in sys.stdin.read().split():
    try:
        print(json.dumps([True, second.verify(open(path, "rb").read()).root().hex()]))
    except (ValueError, KeyError, TypeError) as reason:
        print(json.dumps([False, str(reason)]))
`
/** What it looks at: everything but signatures and what lies beside the log. */
const SEEN: readonly FindingClass[] = [
  'suffix_malformed',
  'seq_gap',
  'previous_hash_mismatch',
  'entry_hash_mismatch',
  'root_mismatch',
  'segment_missing',
  'record_malformed',
]

/** Undefined: it can run here. Else why not; said once. */
export const noSecond = spawnSync('python3', ['--version']).status === 0 ? undefined : 'SKIPPED the second verifier: python3 is not here'
if (noSecond) process.stderr.write(`${noSecond}\n`)

/** Asserts that the ledger in `directory`, as it lies there, holds for both with one root; nothing where the second cannot run. */
export async function bothAccept(directory: string): Promise<void> {
  if (noSecond) return
  const segments = join(directory, 'segments')
  const names = readdirSync(segments).filter((name) => name.endsWith('.jsonl'))
  const bytes = Buffer.concat(names.toSorted().map((name) => readFileSync(join(segments, name))))
  assert.equal(await bothAgree([{ name: directory, bytes }]), 0)
}

/**
 * Asserts that both verifiers give each log the same verdict, and each that holds the same root.
 * @returns how many do not hold
 */
export async function bothAgree(logs: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Promise<number> {
  const directory = temporary()
  const paths = logs.map(({ bytes }, i) => {
    const path = join(directory, `${i}.jsonl`)
    writeFileSync(path, bytes)
    return path
  })
  const { stdout, stderr, status } = spawnSync('python3', ['-c', HARNESS, SCRIPT], { input: paths.join('\n'), encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const judged = stdout.split('\n').slice(0, -1)
  assert.equal(judged.length, logs.length)
  let broken = 0
  for (const [i, { name, bytes }] of logs.entries()) {
    const [holds, said] = JSON.parse(judged[i]!) as [boolean, string] // the harness above
    const report = await verifyLog([bytes], { primitives: nodePrimitives })
    const first = report.findings.find((f) => SEEN.includes(f.class))
    assert.equal(holds, first === undefined, `${name}: ${said} against ${first?.class} at ${first?.at}`)
    if (holds) assert.equal(said, Buffer.from(report.root!).toString('hex'), name)
    else broken += 1
  }
  return broken
}
