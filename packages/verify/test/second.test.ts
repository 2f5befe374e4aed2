import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import { type HashName, verifyLog } from '../src/index.ts'
import { ownJson, ownPath, ownVector } from './support/vectors.ts'
import { joinLines, sampleLog, segmentOf, signerOf, writeLog } from './support/write-log.ts'

/** The second verifier on many logs in one process: exit status and output of each. */
const HARNESS = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("second", sys.argv[1])
second = importlib.util.module_from_spec(spec)
spec.loader.exec_module(second)
for path in sys.argv[2:]:
    try:
        print(json.dumps([True, second.verify(open(path, "rb").read()).root().hex()]))
    except (ValueError, KeyError, TypeError) as reason:
        print(json.dumps([False, str(reason)]))
`
const script = ownPath('verify.py')
const python = spawnSync('python3', ['--version']).status === 0
if (!python) process.stderr.write('SKIPPED the second verifier: python3 is not here\n')
const skip = python ? false : 'python3 is not here'
const signer = signerOf(1)

/** What the second verifier looks at: everything but signatures. */
const SEEN = [
  'suffix_malformed',
  'seq_gap',
  'previous_hash_mismatch',
  'entry_hash_mismatch',
  'root_mismatch',
  'segment_missing',
  'record_malformed',
]

function second(logs: readonly Buffer[]): [boolean, string][] {
  const folder = mkdtempSync(join(tmpdir(), 'second-'))
  try {
    const files = logs.map((log, i) => {
      writeFileSync(join(folder, `${i}.jsonl`), log)
      return join(folder, `${i}.jsonl`)
    })
    const { stdout, stderr, status } = spawnSync('python3', ['-c', HARNESS, script, ...files], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as [boolean, string]) // the harness above
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Asserts that both verifiers judge every log alike, and give the same root. */
async function agree(logs: readonly Buffer[]): Promise<number> {
  const judged = second(logs)
  let broken = 0
  for (const [i, log] of logs.entries()) {
    const report = await verifyLog([log], { primitives: p })
    const first = report.findings.find((f) => SEEN.includes(f.class))
    const [holds, said] = judged[i]!
    assert.equal(holds, first === undefined, `log ${i}: ${said} against ${first?.class} at ${first?.at}`)
    if (holds) assert.equal(said, Buffer.from(report.root!).toString('hex'))
    else broken += 1
  }
  return broken
}

test('the second verifier is under 100 lines and needs the standard library alone', () => {
  const source = readFileSync(script, 'utf8')
  assert.ok(source.split('\n').length - 1 < 100)
  const imports = [...source.matchAll(/^import (.*)$/gm)].flatMap((match) => match[1]!.split(', '))
  assert.deepEqual(imports, ['base64', 'functools', 'hashlib', 'json', 're', 'sys'])
})

test('the second verifier judges the golden and the tampered logs as the first does', { skip }, async () => {
  for (const name of ['sha256', 'sha3-256']) {
    const cases = ownJson<{ lines: string[] }[]>(`negative-${name}.json`).map((c) =>
      Buffer.from(c.lines.map((line) => `${line}\n`).join('')),
    )
    assert.equal(await agree([ownVector(`log-${name}.jsonl`)]), 0)
    // Truncation and signatures are beyond it.
    assert.equal(await agree(cases), 11)
  }
})

test('both verifiers agree on written logs, their segments, and every tampered copy', { skip }, async () => {
  const logs: Buffer[] = []
  for (const hash of ['sha256', 'sha3-256'] as HashName[]) {
    const { log } = sampleLog(signer, 9, hash)
    const at = log.lines.length
    log.reserved('log.segment', segmentOf(log))
    log.signed({ event_type: 'x' }, signer)
    log.transition(signer, signerOf(2))
    logs.push(log.bytes(), joinLines(log.lines.slice(at)), joinLines(log.lines.slice(3)), Buffer.alloc(0))
    log.lines.forEach((line, i) => {
      const flipped = line.slice()
      flipped[(i * 7) % flipped.length]! ^= 1
      logs.push(joinLines(log.lines.with(i, flipped)), joinLines(log.lines.toSpliced(i, 1)), joinLines(log.lines.toSpliced(i, 0, line)))
    })
  }
  const broken = await agree(logs)
  assert.ok(broken > logs.length / 2, `${broken} of ${logs.length}`)
})

test('both verifiers agree on rewritten logs with checkpoints, transitions and segments of another tree', { skip }, async () => {
  const { log: other } = sampleLog(signer, 3)
  const logs = ['log.checkpoint', 'log.key_transition', 'log.segment'].map((type) => {
    const log = writeLog(signer)
    for (let i = 0; i < 3; i++) log.add({ i })
    if (type === 'log.checkpoint') log.reserved(type, { checkpoint: other.note(signer) })
    else if (type === 'log.segment') log.reserved(type, segmentOf(other))
    else {
      other.transition(signer, signerOf(2))
      log.add(`${Buffer.from(other.lines[4]!).toString('utf8').split(',"seq":')[0]}}`)
    }
    return log.bytes()
  })
  assert.equal(await agree(logs), 3)
})

test('the second verifier reads a file or the standard input and says so with its exit code', { skip }, () => {
  const good = ownVector('log-sha256.jsonl')
  const run = (input: Buffer): [number | null, string] => {
    const { status, stdout, stderr } = spawnSync('python3', [script], { input, encoding: 'utf8' })
    return [status, stdout + stderr]
  }
  assert.deepEqual(run(good), [0, 'holds: 10 entries, root Wn7bDVSom/br9lIzFYzbVow4kAe+RFjTvPkGxOvqB6w=\n'])
  assert.deepEqual(run(good.subarray(0, -1)), [1, 'broken: no LF at the end at seq=the end\n'])
  assert.equal(spawnSync('python3', [script, ownPath('tlog/own/log-sha3-256.jsonl')]).status, 0)
})

test('the second verifier says of a file without an entry that it is none', { skip }, () => {
  const { status, stderr } = spawnSync('python3', [script], { input: '', encoding: 'utf8' })
  assert.deepEqual([status, stderr], [1, 'broken: no entry at seq=0\n'])
})
