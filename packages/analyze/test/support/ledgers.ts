/** Ledgers of any content for tests: linked as the recorder links, cut into segments anywhere, compressed or not. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { GENESIS, linkLine } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import fc from 'fast-check'
import { findLedger, type LedgerFiles } from '../../src/reading/index.ts'

export type Members = Readonly<Record<string, unknown>>

/** A folder that is gone after the tests of this file. */
export function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), 'sworn-analyze-'))
  after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** The stored lines of events, each with its LF; their seqs are `step` apart, which no recorder does and readers bear. */
export function linesOf(events: readonly Members[], step = 1): string[] {
  let previous = GENESIS
  return events.map((event, n) => {
    const { line, entryHash } = linkLine(nodePrimitives, 'sha256', JSON.stringify(event), n * step, previous)
    previous = entryHash
    return `${Buffer.from(line).toString('utf8')}\n`
  })
}

export type Packing = 'plain' | 'gz' | 'zst'

const PACK = { plain: Buffer.from, gz: gzipSync, zst: zstdCompressSync } as const
const SUFFIX = { plain: '', gz: '.gz', zst: '.zst' } as const

/** Writes the segments that begin with the lines at `starts`; all but the last packed. */
export function writeSegments(
  directory: string,
  lines: readonly string[],
  starts: readonly number[],
  packing: Packing = 'plain',
  step = 1,
): LedgerFiles {
  mkdirSync(join(directory, 'segments'), { recursive: true })
  for (const [i, start] of starts.entries()) {
    const own = i === starts.length - 1 ? 'plain' : packing
    writeFileSync(segmentPath(directory, start * step, own), PACK[own](Buffer.from(lines.slice(start, starts[i + 1]).join(''))))
  }
  return findLedger(directory, '/')
}

export function segmentPath(directory: string, start: number, packing: Packing = 'plain'): string {
  return join(directory, 'segments', `${String(start).padStart(20, '0')}.jsonl${SUFFIX[packing]}`)
}

const WORDS = [
  'alice',
  'Bob',
  'zyzzyva',
  'é\u0130x',
  'K\u212ag',
  'a\0b',
  '',
  '5',
  'true',
  'deadbeefcafe0123',
  'x"y\\z/\n',
  '\u001b[31m',
  'lone\ud800end',
]
const word = fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 6 }))
const textLike = fc.oneof(
  { weight: 6, arbitrary: word },
  fc.integer({ min: -3, max: 2e9 }),
  fc.boolean(),
  fc.constant(null),
  fc.constant({ a: 1 }),
)
const T0 = Date.parse('2026-11-21T10:00:00Z')

/** Events as anybody might have written them: known members, wrong types, no members at all. */
export const anyEvent: fc.Arbitrary<Members> = fc
  .record(
    {
      timestamp: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 9 }).map((n) => new Date(T0 + n * 600_000).toISOString()) },
        fc.constantFrom(
          'soon',
          5,
          '1969-12-31T23:30:00.000Z',
          '1969-12-31T00:00:00.000Z',
          '0001-01-01T12:00:00.000Z',
          '9999-12-31T23:59:59.999Z',
        ),
      ),
      event_type: fc.oneof(
        {
          weight: 8,
          arbitrary: fc.constantFrom('tool_call_end', 'tool_call_error', 'authorization_decision', 'model_response', 'method_blocked'),
        },
        textLike,
      ),
      severity: fc.constantFrom('debug', 'info', 'warning', 'error', 'critical', 'odd', 7),
      decision: fc.constantFrom('allow', 'deny', 'ask', 5),
      risk_level: fc.constantFrom('low', 'medium', 'high', 'critical'),
      reason_code: fc.constantFrom('default_allow', 'tool_denied'),
      tool: textLike,
      server: textLike,
      user: textLike,
      agent_id: textLike,
      agent: fc.oneof(fc.record({ name: textLike }), fc.constant(null), fc.constant('x')),
      model: textLike,
      session_id: fc.constantFrom('s-1', 's-2', 'deadbeefcafe0123'),
      correlation_id: fc.constantFrom('c-1', 'deadbeefcafe0123', '00ff00ff00ff00ff00ff'),
      parent_id: fc.constantFrom('c-1', 'c-2'),
      is_error: fc.boolean(),
      duration_ms: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ noNaN: true, min: 0, max: 5 }), fc.constant('long')),
      arguments: fc.jsonValue({ maxDepth: 3 }),
      metadata: fc.record({ note: word }),
    },
    { requiredKeys: [] },
  )
  .filter((event) => Object.keys(event).length > 0)
