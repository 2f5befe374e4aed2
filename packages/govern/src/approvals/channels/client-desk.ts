/**
 * The MCP clients as channels of one set of approvals: each question goes to the client whose call it is about.
 *
 * A question without a seat, or with one that cannot show it, fails the channel at once, so that nobody waits for a
 * client that is not there. Source: spec dependencies §8.3.
 * @module
 */
import { asText } from '@sworn/recorder'
import type { Channel, Reception } from '../types.ts'
import { createElicitationChannel, createInputRequiredChannel } from './mcp.ts'
import { memberOf, type toInputRequired } from './mcp-messages.ts'

/** How the client of one call can be asked; a member that is absent cannot. What they throw counts as `broken`. */
export interface Seat {
  /** Sends one JSON-RPC message. */
  readonly send?: (message: Readonly<Record<string, unknown>>) => void
  /** Answers the call itself with the question. */
  readonly answer?: (result: ReturnType<typeof toInputRequired>) => void
}

export interface ClientDesk {
  /** `elicitation` and `input_required`. */
  readonly channels: readonly Channel[]
  /** Before the question is asked. */
  seat(questionId: string, seat: Seat): void
  /** After it was settled. */
  leave(questionId: string): void
  /** A response of the client. false: its id is not one of ours, and it belongs to the server. */
  hearResponse(response: unknown): boolean
  /** The params of a `tools/call`; undefined when they answer no question of ours. See `InputRequiredChannel.receive`. */
  hearRetry(params: unknown, callKey: string | undefined): Reception | undefined
}

const ID_CHARS = 32

/** @param approver who sits before the client, when that is known */
export function createClientDesk({ approver }: { readonly approver?: string } = {}): ClientDesk {
  const seats = new Map<string, Seat>()
  const named = approver === undefined ? {} : { approver }
  const elicitation = createElicitationChannel({ ...named, send: (message) => seats.get(questionOf(message))?.send?.(message) })
  const input = createInputRequiredChannel({ ...named, send: (id, result) => seats.get(id)?.answer?.(result) })
  const through = (channel: Channel, way: keyof Seat): Channel => ({
    ...channel,
    open(question, tell) {
      if (seats.get(question.id)?.[way] !== undefined) return channel.open(question, tell)
      tell({ kind: 'failed', why: 'absent' })
      return () => {}
    },
  })
  return {
    channels: [through(elicitation.channel, 'send'), through(input.channel, 'answer')],
    seat: (id, seat) => void seats.set(id, seat),
    leave: (id) => void seats.delete(id),
    hearResponse: elicitation.receive,
    hearRetry: input.receive,
  }
}

/** The id of our request, or of the one that is taken back, ends with the question's. */
function questionOf(message: Readonly<Record<string, unknown>>): string {
  return asText(message.id ?? memberOf(message.params, 'requestId')).slice(-ID_CHARS)
}
