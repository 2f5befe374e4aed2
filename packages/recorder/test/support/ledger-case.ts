/** Ledgers on a simulated disk with a clock and randomness of their own, and their verification. */
import { createHash } from 'node:crypto'
import { parseVkey, type Report, SwornError, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { createPageCache, type PageCache } from '../../../../testkit/src/fault/page-cache.ts'
import type { Item } from '../../src/ledger/admit.ts'
import type { FileOps } from '../../src/ledger/file-ops.ts'
import { type Ledger, type LedgerOptions, openLedger } from '../../src/ledger/ledger.ts'
import type { Ack, Level } from '../../src/port/types.ts'

export const PATH = '/audit'
export const FILE = '/audit.jsonl'
export const HOME = '/home'

export interface Case {
  ops: PageCache
  /** Milliseconds; a test moves it. */
  time: number
  open(options?: Partial<LedgerOptions>): Ledger
  /** The same disk after a power loss. */
  after(ops: PageCache): Case
}

/** One disk, one clock, one stream of random bytes made from `seed`. */
export function createCase(seed = 'seed', ops: PageCache = createPageCache(), start = Date.parse('2026-01-01T00:00:00Z')): Case {
  let drawn = 0
  const random = (count: number) => new Uint8Array(createHash('shake256', { outputLength: count }).update(`${seed} ${drawn++}`).digest())
  const self: Case = {
    ops,
    time: start,
    open: (options = {}) =>
      openLedger({ path: PATH, home: HOME, fileOps: self.ops, now: () => self.time, random, pid: 1, host: 'h', version: '0', ...options }),
    after: (crashed) => createCase(`${seed}+`, crashed, self.time),
  }
  return self
}

/** Event number `n`: same number, same event. */
export function item(n: number, level: Level = 'batch', extra: Record<string, unknown> = {}): Item {
  const eventId = `0190b0a0-0000-7000-8000-${String(n).padStart(12, '0')}`
  const eventType = typeof extra.event_type === 'string' ? extra.event_type : 'tool_call_end'
  const json = JSON.stringify({ timestamp: '2026-01-01T00:00:00.000Z', event_type: eventType, event_id: eventId, tool: `t${n}`, ...extra })
  return { json, eventId, eventType, level, producerId: 'p1', ...(typeof extra.session_id === 'string' && { sessionId: extra.session_id }) }
}

/** Ticks until nothing is due. */
export function tickAll(disk: Case, ledger: Ledger): void {
  while (ledger.nextTickAt() <= disk.time) ledger.tick()
}

/** The answer as an acknowledgement. */
export function acked(answer: Ack | SwornError | undefined): Ack {
  if (answer === undefined || SwornError.is(answer)) throw answer ?? new Error('no answer')
  return answer as Ack // what is no error is an Ack
}

/** The answer's error code, or `ack`. */
export function outcome(answer: Ack | SwornError | undefined): string {
  return SwornError.is(answer) ? answer.code : 'ack'
}

/** The files of the log in order. */
export function logFiles(ops: FileOps, path = PATH): string[] {
  const root = path.endsWith('.jsonl') ? `${path}.ledger` : path
  const closed = ops.readdir(`${root}/segments`).filter((name) => name.endsWith('.jsonl'))
  return [...closed.toSorted().map((name) => `${root}/segments/${name}`), ...(path.endsWith('.jsonl') && ops.stat(path) ? [path] : [])]
}

export function logBytes(ops: PageCache, path = PATH): Buffer {
  return Buffer.concat(logFiles(ops, path).map((file) => ops.content(file) ?? Buffer.alloc(0)))
}

/** Every record as an object. */
export function records(ops: PageCache, path = PATH): Record<string, unknown>[] {
  return logBytes(ops, path)
    .toString('utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** Verification by the other implementation, with the key that log.open names pinned and the newest note beside it. */
export async function verify(ops: PageCache, path = PATH): Promise<Report> {
  const [open] = records(ops, path)
  const note = ops.content(`${path.endsWith('.jsonl') ? `${path}.ledger` : path}/checkpoint`)
  return verifyLog([logBytes(ops, path)], {
    primitives: nodePrimitives,
    strict: true,
    trust: parseVkey(String(open?.vkey)),
    ...(note && { checkpoints: [new Uint8Array(note)] }),
  })
}

/** Findings that are not warnings. */
export function findings(report: Report): string[] {
  return report.findings
    .filter((finding) => finding.severity === 'finding')
    .map((finding) => `${finding.class} ${finding.seq ?? ''} ${finding.message}`)
}
