/**
 * The claims about a ledger, kept current by a process that stays: all of it is verified at the start and then at an
 * interval, and in between only what was added.
 *
 * What was added follows on what was verified, holds, and is signed by the key that was found then: so the claims
 * still hold, further on. Anything wrong in it has all of the ledger verified at once, and that says what the claims are.
 * Where that cannot be done the age of the last one says so.
 * @module
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LedgerFiles } from '@sworn/recorder/segments'
import { createLogCheck, parseVkey, type Report, type VerifyOptions } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { Clock } from '../clock.ts'
import { readAt } from '../history.ts'
import { openSource } from '../source.ts'
import type { Verified } from './verified-file.ts'

export interface Verifying {
  /** Undefined until all of the ledger was verified once. */
  current(): Verified | undefined
  stop(): Promise<void>
}

export interface VerifyingOptions {
  readonly files: LedgerFiles
  readonly clock: Clock
  /** Verifies all of the ledger; rejects with the reason of the signal when it is aborted. */
  readonly whole: (signal: AbortSignal) => Promise<Report>
  /** How often that is done. */
  readonly wholeMs: number
  /** How often what was added is looked at. */
  readonly lookMs: number
  /** Told at each change. */
  readonly onVerified: (verified: Verified) => void
  /** Told once, until it goes well again. */
  readonly onFault: (e: unknown) => void
}

interface State {
  readonly verified: Verified
  /** By the monotonic clock. */
  readonly wholeAt: number
  /** Where what is added begins; undefined where the ledger is broken in a way that nothing can follow on. */
  readonly start: VerifyOptions['start']
  readonly trust: VerifyOptions['trust']
}

const LF = Buffer.from('\n')

/** Begins at once; keeps no process alive. */
export function startVerifying(options: VerifyingOptions): Verifying {
  const { clock, wholeMs, lookMs, whole, files } = options
  const stop = new AbortController()
  const { signal } = stop
  let state: State | undefined
  let isTold = false

  async function look(): Promise<State> {
    if (state && clock.elapsed() - state.wholeAt < wholeMs) {
      const further = await verifyAdded(files, state, { clock, signal })
      if (further) return further
    }
    return toState(await whole(signal), clock)
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        state = await look()
        options.onVerified(state.verified)
        isTold = false
      } catch (e) {
        if (!isTold && !signal.aborted) options.onFault(e)
        isTold = true
      }
      await clock.wait(lookMs, signal)
    }
  }
  const running = run()
  return {
    current: () => state?.verified,
    stop() {
      stop.abort()
      return running
    },
  }
}

/** What a report says, as the page shows it. */
export function toVerified({ size, findings, findingsOmitted, levels }: Report, atMs: number): Verified {
  return {
    atMs,
    entries: size,
    findings: findings.length + findingsOmitted,
    claims: Object.fromEntries(Object.entries(levels).map(([name, { holds }]) => [name, holds])),
  }
}

function toState(report: Report, clock: Clock): State {
  return { verified: toVerified(report, clock.now()), wholeAt: clock.elapsed(), start: startOf(report), trust: keyOf(report) }
}

function startOf({ size, head, frontier }: Report): State['start'] {
  return frontier && { seq: size, previousHash: head, frontier }
}

function keyOf({ levels: { signed } }: Report): State['trust'] {
  return signed.holds && signed.vkey !== undefined ? parseVkey(signed.vkey) : undefined
}

/** Undefined where something in it is wrong. */
async function verifyAdded(
  files: LedgerFiles,
  state: State,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<State | undefined> {
  const { start, trust, verified } = state
  if (!start) return state
  if (start.seq > 0 && (await readAt(files, start.seq - 1))?.entryHash !== start.previousHash) return undefined
  const check = createLogCheck({ primitives: nodePrimitives, start, ...(trust && { trust }) })
  const source = openSource(files, start.seq)
  try {
    for (let lines = await source.read(); lines.length > 0; lines = await source.read()) {
      signal.throwIfAborted()
      for (const { bytes } of lines) {
        await check.feed(bytes)
        await check.feed(LF)
      }
      await nextTurn() // others get theirs
    }
  } finally {
    await source.close()
  }
  if (check.size === 0) return { ...state, verified: { ...verified, atMs: clock.now() } }
  const report = await check.finish()
  if (report.findings.some(({ severity }) => severity === 'finding')) return undefined
  return {
    ...state,
    verified: { ...verified, atMs: clock.now(), entries: report.size },
    start: startOf(report),
    trust: keyOf(report) ?? trust,
  }
}
