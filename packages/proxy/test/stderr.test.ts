/** What the server writes to stderr: a secret in it is masked, however the writes are cut. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGate } from '@sworn/govern'
import { loadPolicy } from '@sworn/govern/policy'
import type { DlpMatch, Gate } from '@sworn/recorder'
import fc from 'fast-check'
import { createLogFilter } from '../src/relay/stderr.ts'
import { openWire } from './support/wire.ts'

const KEY = `ghp_${'FAKE0fake1'.repeat(4)}`
const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIFAKEfake0\n'.repeat(20)}-----END RSA PRIVATE KEY-----`
const RUNS = { seed: 20261121, numRuns: 300 }

function gateOf(dlp: string): Gate {
  const text = `apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: t}\nspec:\n  dlp: ${dlp}\n`
  return createGate({ policy: loadPolicy({ text, name: 'agent.yaml' }) })
}

const masking = gateOf('{filter_stderr: true, builtin: [secrets]}')

async function passed(writes: readonly (string | Buffer)[], gate: () => Gate | undefined = () => masking) {
  const matches: DlpMatch[] = []
  const filter = createLogFilter({ gate, found: (more) => matches.push(...more) })
  for (const write of writes) filter.write(write)
  filter.end()
  return { bytes: Buffer.concat(await filter.map((chunk: Buffer | string) => Buffer.from(chunk)).toArray()), matches }
}

test('a secret that is split over writes is found, wherever it is cut, and what stands around it stays', async () => {
  const whole = Buffer.from(`start é\nkey ${KEY} of 漢\n${PEM}\nno line end ${KEY}`)
  const expected = 'start é\nkey [REDACTED:github_token] of 漢\n[REDACTED:private_key]\nno line end [REDACTED:github_token]'
  const cuts = fc.array(fc.nat(whole.length), { maxLength: 12 }).map((places) => [0, ...places.toSorted((a, b) => a - b), whole.length])
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      const writes = places.slice(1).map((end, index) => whole.subarray(places[index], end))
      assert.equal((await passed(writes)).bytes.toString(), expected)
    }),
    RUNS,
  )
})

test('a secret at every place of a line without end is found', async () => {
  for (const before of [0, 60_000, 65_490, 65_530, 70_000]) {
    const line = `${'. '.repeat(before / 2)}${KEY} ${'. '.repeat(40_000)}`
    const writes = Array.from({ length: Math.ceil(line.length / 1000) }, (_, n) => line.slice(n * 1000, n * 1000 + 1000))
    const { bytes } = await passed(writes)
    assert.equal(bytes.toString(), line.replace(KEY, '[REDACTED:github_token]'))
  }
})

test('a line leaves when it is whole; matches are told', async () => {
  const filter = createLogFilter({ gate: () => masking, found: (more) => seen.push(...more) })
  const seen: DlpMatch[] = []
  filter.write(`one ${KEY}\ntwo`)
  assert.equal(String(filter.read()), 'one [REDACTED:github_token]\n')
  assert.partialDeepStrictEqual(seen, [{ pattern: 'github_token', matchCount: 1, dlpAction: 'mask', redacted: true }])
  filter.destroy()
})

test('without filter_stderr every byte passes at once, valid text or not', async () => {
  const plain = gateOf('{builtin: [secrets]}')
  const bytes = Buffer.from([0xff, 0xc3, 0x28, ...Buffer.from(KEY)])
  for (const gate of [() => undefined, () => plain])
    assert.deepEqual((await passed([bytes.subarray(0, 2), bytes.subarray(2)], gate)).bytes, bytes)
})

test('what is blocked, and what a failing gate looks at, is not shown', async () => {
  const blocking = gateOf('{filter_stderr: true, builtin: [{name: secrets, action: block}]}')
  assert.equal((await passed([`${KEY}\n`], () => blocking)).bytes.toString(), '[BLOCKED:dlp]\n')
  const failing: Gate = {
    ...masking,
    inspectLog() {
      throw new Error('no')
    },
  }
  assert.equal((await passed([`${KEY}\n`], () => failing)).bytes.toString(), '[BLOCKED:dlp]\n')
})

test('when a reload ends the filter, what was held leaves before what comes', async () => {
  const gates = [masking, undefined]
  assert.equal((await passed(['half a ', 'line\n'], () => gates.shift())).bytes.toString(), 'half a line\n')
})

test('through the proxy: the halves of a secret are put together, told in the record, and nothing is lost at the end', async () => {
  const halves = `process.stderr.write('key ${KEY.slice(0, 20)}', () => process.stderr.write('${KEY.slice(20)}\\nlast words'))`
  const wire = openWire({ gate: masking, args: ['-e', halves] })
  await wire.exit
  assert.equal(wire.errors(), 'key [REDACTED:github_token]\nlast words')
  const [match] = wire.recorder.events.filter(({ event_type }) => event_type === 'dlp_match')
  assert.partialDeepStrictEqual(match, { pattern: 'github_token', target: 'stderr', redacted: true, dlp_action: 'mask' })
  assert.equal(wire.recorder.events.at(-1)?.event_type, 'session_end')
})
