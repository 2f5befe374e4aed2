/**
 * Asks through the MCP client: as a request of ours, or as the answer to the call that waits.
 *
 * The proxy gives `send` and passes on what comes back; nothing here knows a stream. A retry answers only for
 * the call that was asked about: other arguments are another call. Source: `mcp-messages.ts`.
 * @module
 */
import type { Channel, Question, Reception, Tell } from '../types.ts'
import { formatCancelled, formatElicitation, memberOf, parseElicitResult, parseRetry, toInputRequired } from './mcp-messages.ts'

interface Put {
  readonly question: Question
  readonly tell: Tell
  isAnswered: boolean
}

/** Questions by id, also those settled of late: what comes back for them is late, not unknown. */
function createDesk() {
  const puts = new Map<string, Put>()
  return {
    put(question: Question, tell: Tell): Put {
      const place = { question, tell, isAnswered: false }
      puts.set(question.id, place)
      if (puts.size > MAX_PUTS) puts.delete(puts.keys().next().value ?? '')
      tell({ kind: 'shown' })
      return place
    },
    find: (id: string) => puts.get(id),
  }
}

const MAX_PUTS = 200

/** Tells what the client's result says; a result that cannot be read ends the channel for this question. */
function hear(put: Put, result: unknown, approver: string | undefined): Reception {
  put.isAnswered = true
  const said = parseElicitResult(put.question, result, approver)
  return typeof said === 'string' ? put.tell({ kind: 'failed', why: said }) : put.tell({ kind: 'answer', answer: said })
}

export interface ElicitationChannel {
  readonly channel: Channel
  /** The client's response. false: its id is not one of ours, and it belongs to the server. */
  receive(response: unknown): boolean
}

export interface ElicitationOptions {
  /** Sends one JSON-RPC message to the client. What it throws counts as `broken`. */
  readonly send: (message: Readonly<Record<string, unknown>>) => void
  /** What the client is called, or its user. */
  readonly approver?: string
}

const ID_PREFIX = 'sworn-approval-'

/** Channel `elicitation`, for clients of the 2025-11-25 era that can show forms (`canElicit`). */
export function createElicitationChannel({ send, approver }: ElicitationOptions): ElicitationChannel {
  const desk = createDesk()
  return {
    channel: {
      name: 'elicitation',
      maxChars: 16_384,
      open(question, tell) {
        const id = ID_PREFIX + question.id
        send(formatElicitation(question, id))
        const put = desk.put(question, tell)
        return () => {
          if (!put.isAnswered) send(formatCancelled(id))
        }
      },
    },
    receive(response) {
      const id = memberOf(response, 'id')
      if (typeof id !== 'string' || !id.startsWith(ID_PREFIX)) return false
      const put = desk.find(id.slice(ID_PREFIX.length))
      if (put && memberOf(response, 'error') === undefined) hear(put, memberOf(response, 'result'), approver)
      else put?.tell({ kind: 'failed', why: 'refused' })
      return true
    },
  }
}

export interface InputRequiredChannel {
  readonly channel: Channel
  /**
   * The params of a `tools/call`. undefined: they answer no question of ours, and the call is judged like any other.
   * @param callKey `Approvals.keyOf` the call as it came this time
   */
  receive(params: unknown, callKey: string | undefined): Reception | undefined
}

export interface InputRequiredOptions {
  /** Answers the call that waits for this question. What it throws counts as `broken`. */
  readonly send: (questionId: string, result: ReturnType<typeof toInputRequired>) => void
  readonly approver?: string
}

/** Channel `input_required`, for clients of the 2026-07-28 era. The retry is forwarded without our state and answer. */
export function createInputRequiredChannel({ send, approver }: InputRequiredOptions): InputRequiredChannel {
  const desk = createDesk()
  return {
    channel: {
      name: 'input_required',
      maxChars: 16_384,
      open(question, tell) {
        send(question.id, toInputRequired(question))
        desk.put(question, tell)
        return () => {} // the call was answered: there is nothing to take back
      },
    },
    receive(params, callKey) {
      const retry = parseRetry(params)
      const put = retry && desk.find(retry.id)
      if (!put) return undefined
      if (callKey === put.question.callKey) return hear(put, retry.result, approver)
      return put.tell({ kind: 'answer', answer: { id: retry.id, shownHash: 'of another call', approved: false, scope: 'once' } })
    },
  }
}
