/**
 * What every adapter must do, with the real package: a new adapter adds one call to this and nothing else.
 *
 * The recorder is a real one over a port in memory, which can be held back or made to fail. Deterministic: what must not
 * have happened is looked at while the port holds its answer.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Deciding, Instrumentation, InstrumentRecorder } from '@sworn/instrument'
import { createRecorder, type Gate, SwornError, type Verdict } from '@sworn/recorder'
import { type MemoryPort, memoryPort } from '../../packages/recorder/test/support/memory-port.ts'

/** The real package, with something on loopback or in memory at its other end. */
export interface AdapterPeer {
  /** Event types of what it does. */
  readonly types: { readonly start: string; readonly end: string; readonly error: string }
  /** A gate judges its actions. */
  readonly isJudged: boolean
  /** What cannot be recorded is refused; false: it is only watched. */
  readonly canStop: boolean
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
  inspect: (value) => ({ value, matches: [], blocked: false }),
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
  makePeer: () => Promise<P>,
  act: (given: Case<P>) => Promise<void>,
  onAuditFailure: 'block' | 'continue' = 'block',
) {
  return async () => {
    const [peer, port] = [await makePeer(), memoryPort()]
    const recorder = createRecorder({ port, onAuditFailure })
    const installed: Instrumentation[] = []
    try {
      await act({
        peer,
        port,
        async events() {
          await recorder.flush()
          const own: readonly unknown[] = [...Object.values(peer.types), 'authorization_decision'] // frameworks call models besides
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

export function adapterContract(name: string, makePeer: () => Promise<AdapterPeer>): void {
  describe(`adapter contract: ${name}`, () => {
    test(
      `${name}: nothing happens before its start is on disk; start and end share one correlation_id`,
      withPeer(makePeer, async ({ peer, port, install, events }) => {
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
        assert.deepEqual(typesOf(recorded), [peer.types.start, peer.types.end])
        assert.equal(recorded[0]?.correlation_id, recorded[1]?.correlation_id)
        assert.match(JSON.stringify(recorded[0]?.arguments), /hello/)
        assert.match(JSON.stringify(recorded[1]?.result), /hello/)
        assert.ok(Number(recorded[1]?.duration_ms) >= 0)
      }),
    )

    test(
      `${name}: parallel actions are told apart`,
      withPeer(makePeer, async ({ peer, install, events }) => {
        await install()
        await peer.open?.()
        const inputs = Array.from({ length: 8 }, (_, n) => `input-${n};`)
        const answers = await Promise.all(inputs.map((input) => peer.act(input)))
        for (const [n, input] of inputs.entries()) assert.ok(answers[n]?.includes(input))
        const recorded = await events()
        const calls = Map.groupBy(recorded, ({ correlation_id }) => correlation_id)
        assert.equal(calls.size, 8)
        for (const [start, end] of calls.values()) {
          assert.deepEqual([start?.event_type, end?.event_type], [peer.types.start, peer.types.end])
          const input = /input-\d;/.exec(JSON.stringify(start?.arguments))?.[0] ?? 'none'
          assert.ok(JSON.stringify(end?.result).includes(input), 'the answer of another call')
        }
      }),
    )

    test(
      `${name}: an error passes unchanged and is recorded`,
      withPeer(makePeer, async ({ peer, install, events }) => {
        const [bare] = await bareEnds(makePeer, [(other) => other.fail()])
        await install()
        await peer.open?.()
        assert.deepEqual(await endOf(peer.fail()), bare)
        const recorded = await events()
        assert.deepEqual(typesOf(recorded), [peer.types.start, peer.types.error])
        assert.ok(recorded[1]?.error_type)
      }),
    )

    test(
      `${name}: what is denied does not happen, once recorded; what is not judged goes on`,
      withPeer(makePeer, async ({ peer, install, events }) => {
        await install({ gate: GATE })
        await peer.open?.()
        const before = peer.effects()
        const end = await endOf(peer.act('forbidden'))
        assert.match(JSON.stringify(end), peer.isJudged ? /tool_not_allowed/ : /forbidden/)
        assert.equal(peer.effects(), peer.isJudged ? before : before + 1)
        assert.match(await peer.act('welcome'), /welcome/)
        const decisions = (await events()).filter(({ event_type }) => event_type === 'authorization_decision')
        assert.deepEqual(
          decisions.map(({ decision }) => decision),
          peer.isJudged ? ['deny', 'allow'] : [],
        )
      }),
    )

    test(
      `${name}: installed twice it records once, and given back it is what it was`,
      withPeer(makePeer, async ({ peer, install, events }) => {
        const before = peer.method()
        const first = await install()
        const second = await install()
        assert.notEqual(peer.method(), before)
        await peer.open?.()
        await peer.act('once')
        assert.deepEqual(typesOf(await events()), [peer.types.start, peer.types.end])
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
      withPeer(makePeer, async ({ peer, port, install }) => {
        await install()
        await peer.open?.()
        const before = peer.effects()
        port.fail = new SwornError('APPEND_REFUSED', 'no space left')
        assert.match(JSON.stringify(await endOf(peer.act('hello'))), peer.canStop ? /audit_unavailable/ : /hello/)
        assert.equal(peer.effects(), peer.canStop ? before : before + 1)
      }),
    )

    test(
      `${name}: without a recorder it goes on where the configuration says so`,
      withPeer(
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
      withPeer(makePeer, async ({ peer, port, install, events }) => {
        await install()
        await peer.open?.()
        const input = 'é'.repeat(1_500_000)
        assert.ok((await peer.act(input)).includes(input))
        assert.deepEqual(typesOf(await events()), [peer.types.start, peer.types.end])
        assert.ok(port.batches.flat().every(({ json }) => json.length < 2_000_000))
      }),
    )

    test(
      `${name}: what is not JSON does what it did before`,
      withPeer(makePeer, async ({ peer, install }) => {
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
export function streamContract(name: string, makePeer: () => Promise<StreamingPeer>): void {
  test(
    `${name}: a stream is one record; left or broken it says so`,
    withPeer(makePeer, async ({ peer, install, events }) => {
      const bare = await bareEnds(
        makePeer,
        HOW.map((how) => (other) => other.stream(how)),
      )
      await install()
      await peer.open?.()
      for (const [n, how] of HOW.entries()) assert.deepEqual(await endOf(peer.stream(how)), bare[n], how)
      const ends = (await events()).filter(({ event_type }) => event_type !== peer.types.start)
      assert.deepEqual(typesOf(ends), [peer.types.end, peer.types.end, peer.types.error])
      const complete = ends.map(({ metadata }) => (metadata as { complete?: boolean } | undefined)?.complete)
      assert.deepEqual(complete, [undefined, false, false])
    }),
  )
}
