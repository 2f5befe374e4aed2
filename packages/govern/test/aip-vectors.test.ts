/** AIP's conformance vectors, levels basic and full, in `aip-compat`. @module */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Action, Gate, Verdict } from '@sworn/recorder'
import { parse } from 'yaml'
import { type ApprovalAnswer, createGate, normalizeName, settleApproval } from '../src/index.ts'
import { loadPolicy } from '../src/policy/index.ts'
import { emptyDisk } from './support/make.ts'

interface Vector {
  id: string
  description: string
  policy: string | null
  input: {
    type?: 'response'
    content?: string
    method?: string
    tool?: string
    args?: unknown
    request_id?: string | number
    context?: { previous_calls?: number; user_response?: 'deny' | 'timeout' }
  }
  expected: Record<string, unknown>
}

const files = {
  'basic/authorization.yaml': 10,
  'basic/errors.yaml': 8,
  'basic/methods.yaml': 11,
  'full/arguments.yaml': 14,
  'full/dlp.yaml': 9,
  'full/normalization.yaml': 13,
}
const root = process.env.SWORN_VECTORS ?? fileURLToPath(new URL('../../../../shared/vectors', import.meta.url))
const folder = join(root, 'aip')
const absent = !existsSync(folder)
if (absent) console.error('SKIPPED: the AIP vectors are not here (set SWORN_VECTORS to their folder)')

const answers: Record<string, ApprovalAnswer> = { deny: 'denied', timeout: 'timeout' }

if (absent) test('AIP vectors, levels basic and full', { skip: 'the shared vectors are not here' })
else
  describe('AIP conformance in aip-compat', () => {
    let passed = 0
    for (const [file, count] of Object.entries(files)) {
      const vectors: Vector[] = parse(readFileSync(join(folder, file), 'utf8')).tests
      test(`${file} holds ${count} vectors`, () => assert.equal(vectors.length, count))
      for (const vector of vectors) {
        test(`${file} ${vector.id}: ${vector.description}`, async () => {
          await checkVector(vector)
          passed++
        })
      }
    }
    after(() => assert.equal(passed, 65, 'vectors that passed'))
  })

async function checkVector({ policy, input, expected }: Vector): Promise<void> {
  const loaded = policy === null ? undefined : loadPolicy({ text: policy, name: 'vector.yaml' }, { profile: 'aip-compat' })
  const gate = createGate({ policy: loaded, profile: 'aip-compat', platform: emptyDisk, now: () => 0 })
  if (input.type === 'response') return checkResponse(gate, input.content, expected)
  const verdict = await judge(gate, input)
  const { decision, error_code, error_message, error_data, violation, response_format, ...rest } = expected
  assert.deepEqual(rest, {}, 'the runner knows every expectation')
  assert.equal(nameOf(verdict), decision)
  const told = verdict.decision === 'deny' ? verdict.rpcError : undefined
  if (error_code !== undefined) assert.equal(told?.code ?? null, error_code)
  if (error_message !== undefined) assert.equal(told?.message, error_message)
  if (error_data !== undefined) assert.partialDeepStrictEqual(told?.data, error_data as object)
  if (violation !== undefined) assert.equal(verdict.violation, violation)
  if (response_format === undefined) return
  const response = { jsonrpc: '2.0', id: input.request_id, error: { code: told?.code, message: told?.message, data: told?.data } }
  assert.partialDeepStrictEqual(response, response_format as object)
}

async function judge(gate: Gate, input: Vector['input']): Promise<Verdict> {
  const method = input.method ?? ''
  if (normalizeName(method, 'aip-compat') !== 'tools/call') return gate.judgeMethod(method)
  const action: Action = { kind: 'tool', name: input.tool ?? '', input: input.args, ids: {}, rpc: { method } }
  for (let n = 0; n < (input.context?.previous_calls ?? 0); n++) await gate.judge(action)
  const verdict = await gate.judge(action)
  const answer = input.context?.user_response
  return answer ? settleApproval(verdict, answers[answer]!) : verdict
}

function nameOf(verdict: Verdict): string {
  if (verdict.reasonCode === 'rate_limited') return 'RATE_LIMITED'
  return { allow: 'ALLOW', deny: 'BLOCK', ask: 'ASK' }[verdict.decision]
}

function checkResponse(gate: Gate, content: unknown, expected: Record<string, unknown>): void {
  const seen = gate.inspect(content, 'response')
  assert.equal(seen.value, expected.output)
  assert.equal(seen.matches.length > 0, expected.redacted)
  assert.equal(seen.blocked, false)
  if (!expected.dlp_events) return
  const events = seen.matches.map(({ pattern, matchCount }) => ({ rule: pattern, count: matchCount }))
  assert.deepEqual(events, expected.dlp_events)
}
