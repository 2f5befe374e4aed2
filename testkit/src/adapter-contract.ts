/**
 * What every adapter must do, with the real package: a new adapter adds its cells and a call of this for each.
 *
 * The recorder is a real one over a port in memory, which can be held back or made to fail. Deterministic: what must not
 * have happened is looked at while the port holds its answer.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Deciding, Instrumentation, InstrumentRecorder } from '@sworn/instrument'
import { createRecorder, type DlpMatch, type Gate, type Inspected, SwornError, type Verdict } from '@sworn/recorder'
import { type MemoryPort, memoryPort } from '../../packages/recorder/test/support/memory-port.ts'
import { CELLS, type Cell, type CellName } from './adapter-cells.ts'

/** The real package, with something on loopback or in memory at its other end. */
export interface AdapterPeer {
  install(recorder: InstrumentRecorder, deciding: Deciding): Promise<Instrumentation>
  /** What happens between installation and use, such as a connection. */
  open?(): Promise<void>
  /** One action: `input` goes over, and comes back as text. */
  act(input: unknown): Promise<string>
  /** An action that the other end fails. */
  fail(): Promise<unknown>
  /** How often the other end was reached. */
  effects(): number
  /** The method that is replaced. */
  method(): unknown
  close(): Promise<void>
}

export interface StreamingPeer extends AdapterPeer {
  /** Reads an answer in pieces: to its end, a part of it, or until it breaks. */
  stream(how: (typeof HOW)[number]): Promise<unknown>
}

const HOW = ['whole', 'left', 'broken'] as const

type Recorded = Readonly<Record<string, unknown>>

const GATE: Gate = {
  policy: { name: 'contract' },
  judgeMethod: () => allow,
  judge: async ({ input }) => (JSON.stringify(input)?.includes('forbidden') ? deny : allow),
  inspect,
}

const TYPES = {
  tools: { start: 'tool_call_start', end: 'tool_call_end', error: 'tool_call_error' },
  models: { start: 'model_request', end: 'model_response', error: 'model_error' },
}

/** `secret` is masked in what is given, `private` in what comes back; `withheld` does not come back. */
function inspect(value: unknown, direction: DlpMatch['direction']): Inspected {
  const text = JSON.stringify(value) ?? ''
  const word = direction === 'request' ? 'secret' : 'private'
  const match = (dlpAction: 'mask' | 'block') => ({ pattern: 'test', matchCount: 1, direction, dlpAction, redacted: dlpAction === 'mask' })
  if (direction === 'response' && text.includes('withheld')) return { value, matches: [match('block')], blocked: true }
  if (!text.includes(word)) return { value, matches: [], blocked: false }
  return { value: JSON.parse(text.replaceAll(word, 'masked')), matches: [match('mask')], blocked: false }
}
const allow: Verdict = { decision: 'allow', reason: 'listed', reasonCode: 'matched_allowed_tools', policyName: 'contract' }
const deny: Verdict = { decision: 'deny', reason: 'not listed', reasonCode: 'tool_not_allowed', policyName: 'contract' }

/** How a promise ended, so that two ends can be compared: the application must not see a difference. */
async function endOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => (error instanceof Error ? { error: error.constructor, name: error.name, message: error.message } : { error }),
  )
}

/** Long enough for whatever does not wait for the port. */
async function turns(): Promise<void> {
  for (let n = 0; n < 20; n++) await turn()
}

interface Case<P> {
  readonly cell: Cell
  readonly types: (typeof TYPES)[Cell['acts']]
  readonly peer: P
  readonly port: MemoryPort
  /** Everything recorded so far but reports. */
  events(): Promise<readonly Recorded[]>
  install(deciding?: Deciding): Promise<Instrumentation>
}

/** How `acts` end with a peer of its own on which nothing is installed; run before the installation, which is the process's. */
async function bareEnds<P extends AdapterPeer>(
  makePeer: () => Promise<P>,
  acts: readonly ((peer: P) => Promise<unknown>)[],
): Promise<unknown[]> {
  const peer = await makePeer()
  await peer.open?.()
  const ends: unknown[] = []
  for (const act of acts) ends.push(await endOf(act(peer)))
  await peer.close()
  return ends
}

function withPeer<P extends AdapterPeer>(
  name: CellName,
  makePeer: () => Promise<P>,
  act: (given: Case<P>) => Promise<void>,
  onAuditFailure: 'block' | 'continue' = 'block',
) {
  return async () => {
    const cell: Cell = CELLS[name]
    const types = TYPES[cell.acts]
    const [peer, port] = [await makePeer(), memoryPort()]
    const recorder = createRecorder({ port, onAuditFailure })
    const installed: Instrumentation[] = []
    try {
      await act({
        cell,
        types,
        peer,
        port,
        async events() {
          await recorder.flush()
          const own: readonly unknown[] = [...Object.values(types), 'authorization_decision'] // frameworks call models besides
          return port.events().filter(({ event_type }) => own.includes(event_type))
        },
        async install(deciding = {}) {
          const instrumentation = await peer.install(recorder, deciding)
          installed.push(instrumentation)
          return instrumentation
        },
      })
    } finally {
      for (const { undo } of installed.toReversed()) undo()
      await peer.close()
    }
  }
}

const typesOf = (events: readonly Recorded[]) => events.map(({ event_type }) => event_type)

export function adapterContract(name: CellName, makePeer: () => Promise<AdapterPeer>): void {
  describe(`adapter contract: ${name}`, () => {
    test(
      `${name}: nothing happens before its start is on disk; start and end share one correlation_id`,
      withPeer(name, makePeer, async ({ types, peer, port, install, events }) => {
        const { coverage } = await install()
        await peer.open?.()
        assert.equal(coverage.length, 1)
        assert.ok((coverage[0]?.patched.length ?? 0) > 0)
        const before = peer.effects()
        port.hold()
        const acted = peer.act('hello')
        await turns()
        assert.equal(peer.effects(), before)
        port.release()
        assert.match(await acted, /hello/)
        const recorded = await events()
        assert.deepEqual(typesOf(recorded), [types.start, types.end])
        assert.equal(recorded[0]?.correlation_id, recorded[1]?.correlation_id)
        assert.match(JSON.stringify(recorded[0]?.arguments), /hello/)
        assert.match(JSON.stringify(recorded[1]?.result), /hello/)
        assert.ok(Number(recorded[1]?.duration_ms) >= 0)
      }),
    )

    test(
      `${name}: parallel actions are told apart`,
      withPeer(name, makePeer, async ({ types, peer, install, events }) => {
        await install()
        await peer.open?.()
        const inputs = Array.from({ length: 8 }, (_, n) => `input-${n};`)
        const answers = await Promise.all(inputs.map((input) => peer.act(input)))
        for (const [n, input] of inputs.entries()) assert.ok(answers[n]?.includes(input))
        const recorded = await events()
        const calls = Map.groupBy(recorded, ({ correlation_id }) => correlation_id)
        assert.equal(calls.size, 8)
        for (const [start, end] of calls.values()) {
          assert.deepEqual([start?.event_type, end?.event_type], [types.start, types.end])
          const input = /input-\d;/.exec(JSON.stringify(start?.arguments))?.[0] ?? 'none'
          assert.ok(JSON.stringify(end?.result).includes(input), 'the answer of another call')
        }
      }),
    )

    test(
      `${name}: an error passes unchanged and is recorded`,
      withPeer(name, makePeer, async ({ types, peer, install, events }) => {
        const [bare] = await bareEnds(makePeer, [(other) => other.fail()])
        await install()
        await peer.open?.()
        assert.deepEqual(await endOf(peer.fail()), bare)
        const recorded = await events()
        assert.deepEqual(typesOf(recorded), [types.start, types.error])
        assert.ok(recorded[1]?.error_type)
      }),
    )

    test(
      `${name}: what is denied does not happen, once recorded; what is not judged goes on`,
      withPeer(name, makePeer, async ({ cell, peer, install, events }) => {
        await install({ gate: GATE })
        await peer.open?.()
        const before = peer.effects()
        const end = await endOf(peer.act('forbidden'))
        assert.match(JSON.stringify(end), cell.isJudged ? /tool_not_allowed/ : /forbidden/)
        assert.equal(peer.effects(), cell.isJudged ? before : before + 1)
        assert.match(await peer.act('welcome'), /welcome/)
        const decisions = (await events()).filter(({ event_type }) => event_type === 'authorization_decision')
        assert.deepEqual(
          decisions.map(({ decision }) => decision),
          cell.isJudged ? ['deny', 'allow'] : [],
        )
      }),
    )

    test(
      `${name}: what a policy masks is masked or refused on its way in`,
      withPeer(name, makePeer, async ({ cell, peer, install }) => {
        await install({ gate: GATE })
        await peer.open?.()
        const before = peer.effects()
        const end = JSON.stringify(await endOf(peer.act('secret')))
        assert.match(end, { masked: /masked/, refused: /dlp_blocked/, passes: /secret/ }[cell.given])
        if (cell.given !== 'passes') assert.doesNotMatch(end, /secret/)
        assert.equal(peer.effects(), cell.given === 'refused' ? before : before + 1)
      }),
    )

    test(
      `${name}: what a policy masks or withholds is not answered, or is recorded as passed`,
      withPeer(name, makePeer, async ({ cell, types, peer, port, install, events }) => {
        await install({ gate: GATE })
        await peer.open?.()
        const isMasked = cell.answered === 'masked'
        assert.match(await peer.act('private'), isMasked ? /masked/ : /private/)
        assert.match(JSON.stringify(await endOf(peer.act('withheld'))), isMasked ? /dlp_blocked/ : /withheld/)
        const ends = (await events()).filter(({ event_type }) => event_type === types.end || event_type === types.error)
        assert.deepEqual(typesOf(ends), [types.end, isMasked ? types.error : types.end])
        const found = port
          .events()
          .filter((event) => event.event_type === 'dlp_match' && (cell.acts === 'tools' ? 'tool' : 'model') in event)
        const done = [...new Set(found.map(({ dlp_action, enforced }) => `${dlp_action} ${enforced ?? true}`))]
        assert.deepEqual(done, isMasked ? ['mask true', 'block true'] : ['warn false'])
      }),
    )

    test(
      `${name}: installed twice it records once, and given back it is what it was`,
      withPeer(name, makePeer, async ({ types, peer, install, events }) => {
        const before = peer.method()
        const first = await install()
        const second = await install()
        assert.notEqual(peer.method(), before)
        await peer.open?.()
        await peer.act('once')
        assert.deepEqual(typesOf(await events()), [types.start, types.end])
        assert.deepEqual(second.coverage, first.coverage)
        second.undo()
        first.undo()
        assert.equal(peer.method(), before)
        assert.match(await peer.act('unseen'), /unseen/)
        assert.equal((await events()).length, 2)
      }),
    )

    test(
      `${name}: without a recorder it is refused, unless it is only watched`,
      withPeer(name, makePeer, async ({ cell, peer, port, install }) => {
        await install()
        await peer.open?.()
        const before = peer.effects()
        port.fail = new SwornError('APPEND_REFUSED', 'no space left')
        assert.match(JSON.stringify(await endOf(peer.act('hello'))), cell.canStop ? /audit_unavailable/ : /hello/)
        assert.equal(peer.effects(), cell.canStop ? before : before + 1)
      }),
    )

    test(
      `${name}: without a recorder it goes on where the configuration says so`,
      withPeer(
        name,
        makePeer,
        async ({ peer, port, install }) => {
          await install()
          await peer.open?.()
          port.fail = new SwornError('APPEND_REFUSED', 'no space left')
          assert.match(await peer.act('hello'), /hello/)
        },
        'continue',
      ),
    )

    test(
      `${name}: a large input goes over whole; its record is bounded`,
      withPeer(name, makePeer, async ({ types, peer, port, install, events }) => {
        await install()
        await peer.open?.()
        const input = 'é'.repeat(1_500_000)
        assert.ok((await peer.act(input)).includes(input))
        assert.deepEqual(typesOf(await events()), [types.start, types.end])
        assert.ok(port.batches.flat().every(({ json }) => json.length < 2_000_000))
      }),
    )

    test(
      `${name}: what is not JSON does what it did before`,
      withPeer(name, makePeer, async ({ peer, install }) => {
        const circle: Record<string, unknown> = {}
        circle.self = circle
        const inputs = [
          10n,
          circle,
          () => 1,
          Symbol('s'),
          new Map([[1, 2]]),
          {
            toJSON: () => {
              throw new RangeError('no')
            },
          },
        ]
        const bare = await bareEnds(
          makePeer,
          inputs.map((input) => (other) => other.act(input)),
        )
        await install()
        await peer.open?.()
        for (const [n, input] of inputs.entries()) assert.deepEqual(await endOf(peer.act(input)), bare[n])
      }),
    )
  })
}

/** Beside `adapterContract`, where answers come in pieces. */
export function streamContract(name: CellName, makePeer: () => Promise<StreamingPeer>): void {
  test(
    `${name}: a stream is one record; left or broken it says so`,
    withPeer(name, makePeer, async ({ types, peer, install, events }) => {
      const bare = await bareEnds(
        makePeer,
        HOW.map((how) => (other) => other.stream(how)),
      )
      await install()
      await peer.open?.()
      for (const [n, how] of HOW.entries()) assert.deepEqual(await endOf(peer.stream(how)), bare[n], how)
      const ends = (await events()).filter(({ event_type }) => event_type !== types.start)
      assert.deepEqual(typesOf(ends), [types.end, types.end, types.error])
      const complete = ends.map(({ metadata }) => (metadata as { complete?: boolean } | undefined)?.complete)
      assert.deepEqual(complete, [undefined, false, false])
    }),
  )
}
