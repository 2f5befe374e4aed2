/**
 * The requests of one direction of a connection that have no answer yet.
 *
 * Each goes through the guard and is ended once: by its answer, a cancellation, a failed send or the end of the
 * connection. An outcome is handed to the recorder before what it is about goes on; nobody waits for it.
 * @module
 */
import type { Action, Outcome, Verdict } from '@sworn/recorder'
import { type AdapterGuard, BLOCKED_ANSWER, WITHHELD } from '../screening.ts'
import { type RpcId, type RpcMessage, rpcIdOf, toOutcome, toRefusal } from './messages.ts'

interface Call {
  /** Set when it was allowed. */
  ref?: string
  readonly rpc: Action['rpc']
  startMs: number
  isCancelled?: true
}

/** What happens to a request that was judged. */
export interface Ways {
  go(verdict: Verdict, ref: string): unknown
  refuse(verdict: Verdict): unknown
}

export interface Calls {
  /** Judges, records, and takes one of the ways; neither when it was cancelled meanwhile. @throws what the way throws */
  pass(action: Action, ways: Ways): Promise<void>
  /** Records the outcome of the request that is answered, if there is one. @returns what whoever asked is to get: `message`, masked, or a refusal */
  answer(message: RpcMessage): RpcMessage
  cancel(id: RpcId | undefined): void
  close(): void
}

const MAX_CALLS = 10_000
const CANCELLED = { status: 'cancelled', errorType: 'cancelled' } as const

export function createCalls(guard: AdapterGuard): Calls {
  const calls = new Map<string, Call>() // by the id as text: peers answer 1 with "1"

  /** The allowed call under `key`, which is open no more. */
  function take(key: string): (Pick<Call, 'rpc' | 'startMs'> & { readonly ref: string }) | undefined {
    const { ref, rpc, startMs = 0 } = calls.get(key) ?? {}
    if (ref === undefined) return undefined
    calls.delete(key)
    return { ref, rpc, startMs }
  }

  function end(key: string, outcome: Outcome): void {
    const call = take(key)
    if (call) void guard.end(call.ref, { ...outcome, durationMs: performance.now() - call.startMs })
  }

  function answer(message: RpcMessage): RpcMessage {
    const call = take(String(rpcIdOf(message)))
    if (!call) return message
    const outcome = { ...toOutcome(message), durationMs: performance.now() - call.startMs }
    const { value, matches, blocked } = guard.screen(outcome.output)
    void guard.end(call.ref, blocked ? { ...outcome, ...BLOCKED_ANSWER } : outcome, matches)
    if (blocked && call.rpc) return toRefusal(call.rpc, WITHHELD)
    return value === outcome.output ? message : { ...message, result: value }
  }

  /** An id that is used twice, or one too many: of the older call nothing more will be known. */
  function add(key: string, call: Call): void {
    const unknown = { status: 'unknown', errorType: 'outcome_unknown' } as const
    if (calls.has(key)) end(key, unknown)
    else if (calls.size >= MAX_CALLS) end(String(calls.keys().next().value), unknown)
    calls.set(key, call)
  }

  return {
    async pass(action, ways) {
      const key = String(action.rpc?.id)
      const call: Call = { startMs: performance.now(), rpc: action.rpc }
      add(key, call)
      const { verdict, ref } = await guard.begin(action)
      const isAllowed = verdict.decision === 'allow'
      if (!isAllowed && calls.get(key) === call) calls.delete(key)
      if (call.isCancelled) return isAllowed ? guard.end(ref, CANCELLED) : undefined
      if (!isAllowed) return void (await ways.refuse(verdict))
      call.ref = ref
      call.startMs = performance.now()
      try {
        await ways.go(verdict, ref)
      } catch (error) {
        end(key, { status: 'error', error, errorType: error instanceof Error ? error.name : typeof error })
        throw error
      }
    },
    answer,
    cancel(id) {
      const call = calls.get(String(id))
      if (call === undefined) return
      if (call.ref !== undefined) return end(String(id), CANCELLED)
      call.isCancelled = true
      calls.delete(String(id))
    },
    close() {
      for (const key of calls.keys()) end(key, { status: 'unknown', errorType: 'connection_closed' })
    },
  }
}
