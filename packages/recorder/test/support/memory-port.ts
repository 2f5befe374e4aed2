/** A port that keeps what it is given. Its answers can be held back, refused or lost, one batch at a time. @module */
import { SwornError } from '@sworn/verify'
import type { Ack, LedgerInfo, Port, Submission } from '../../src/port/types.ts'

export interface MemoryPort extends Port {
  readonly batches: (readonly Submission[])[]
  events(): Record<string, unknown>[]
  /** While held, submissions are kept and not answered. */
  hold(): void
  release(): void
  /** The answers of the batches to come, until set back to undefined. */
  fail: SwornError | undefined
  /** What `flushSync` answers. */
  canBlock: boolean
  closed: boolean
}

export function memoryPort(options: { macKey?: Uint8Array } = {}): MemoryPort {
  const info: LedgerInfo = { logId: 'AAAA', origin: 'test', path: 'memory', ...options }
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  let size = 0
  const port: MemoryPort = {
    info,
    batches: [],
    fail: undefined,
    canBlock: false,
    closed: false,
    events: () => port.batches.flat().map(({ json }) => JSON.parse(json)),
    hold() {
      gate = Promise.withResolvers()
    },
    release: () => gate.resolve(),
    async submit(batch) {
      const { fail } = port
      if (!fail || fail.code === 'APPEND_UNKNOWN') port.batches.push(batch)
      const first = size
      if (!fail) size += batch.length
      await gate.promise
      return batch.map((one, i): Ack | SwornError => fail ?? answer(one, first + i))
    },
    reserve: async () => ({ granted: true, retryAfterMs: 0 }),
    flush: async () => {
      if (port.fail) throw new SwornError('APPEND_UNKNOWN', 'not on disk')
    },
    reopen: async () => {},
    flushSync: () => port.canBlock,
    async close() {
      port.closed = true
    },
  }
  return port
}

const answer = (one: Submission, seq: number): Ack => ({
  logId: 'AAAA',
  seq,
  entryHash: 'ab'.repeat(32),
  durable: one.level === 'sync',
})
