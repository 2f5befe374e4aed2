/**
 * Entries that somebody wrote by hand: each member in turn is an object that JavaScript makes no text of, or a list of one.
 * Whatever reads them answers or refuses by code; nothing is a defect of ours, and nothing else of the ledger is lost.
 * @module
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { DIALECTS } from '@sworn/dialects'
import { sworn, temporary } from './support/io.ts'

const cwd = temporary()
const home = temporary()
const HOSTILE = [{ toString: 1, valueOf: 1 }, [{ toString: {} }]]
const EVENT = {
  event_type: 'authorization_decision',
  event_id: '0192f0c1-2345-7abc-8def-0123456789ab',
  severity: 'info',
  decision: 'allow',
  reason_code: 'default_allow',
  reason: 'r',
  tool: 't',
  target: '/w',
  user: 'alice',
  role: 'dev',
  agent_id: 'a-1',
  session_id: 's-1',
  correlation_id: 'c-1',
  parent_id: 'c-0',
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  span_id: 'b7ad6b7169203331',
  risk_level: 'high',
  error: 'e',
  error_type: 'x',
  duration_ms: 3,
  rpc_id: 1,
  method: 'tools/call',
  arguments: { a: 1 },
  result: 'r',
}
const MEMBERS = [...Object.keys(EVENT), 'timestamp']

/** A line for each member and object, the last of its segment: what is before it stays as it was. */
before(async () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  writeFileSync(join(cwd, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const stdin = MEMBERS.map((_, n) => `${JSON.stringify({ ...EVENT, event_id: EVENT.event_id.replace(/..$/, String(10 + n)) })}\n`).join('')
  const recorded = await sworn(['record', 'audit'], { cwd, home, stdin })
  assert.equal(recorded.code, 0, recorded.err)
  const segments = join(cwd, 'audit', 'segments')
  const file = join(segments, readdirSync(segments)[0]!)
  let at = 0
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => {
      if (!line.includes('"authorization_decision"')) return line
      const { [MEMBERS[at]!]: _, ...rest } = JSON.parse(line)
      const [name, hostile] = [MEMBERS[at]!, HOSTILE[at++ % HOSTILE.length]]
      return JSON.stringify({ [name]: hostile, ...rest })
    })
  writeFileSync(file, lines.join('\n'))
})

const READERS: readonly (readonly string[])[] = [
  ['verify'],
  ['query'],
  ['query', '--no-index'],
  ['query', '--session', 's-1'],
  ['query', '--format', 'csv'],
  ['query', '--count-by', 'tool,decision,user,session,day'],
  ['query', '--text', 'alice'],
  ['query', '--where', 'severity == "info"'],
  ['tail'],
  ['report'],
  ['report', '--format', 'html'],
  ['report', '--framework', 'soc2'],
  ['report', '--framework', 'gdpr'],
  ['alerts', '--since', '3650d'],
  ['metrics'],
  ...DIALECTS.map(({ name }) => ['export', '--dialect', name, ...(name === 'sahu' ? ['--sign-key', 'key.pem'] : [])]),
]
for (const [command, ...flags] of READERS)
  test(`${[command, ...flags].join(' ')} of a ledger with members of any kind`, async () => {
    const { code, out, err } = await sworn([command!, 'audit', ...flags], { cwd, home })
    assert.doesNotMatch(err, /defect of sworn|TypeError|primitive|at file:/)
    assert.ok(code <= 3 && (code > 0 || (out + err).length > 0), `${code} ${err}`)
    if (code === 2) assert.fail(err) // the command line itself is right
  })
