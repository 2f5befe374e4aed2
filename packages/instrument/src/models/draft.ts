/**
 * What a model said, put together piece by piece: text, tool calls, why it stopped, what it used.
 *
 * Bounded: a record shows a thousand characters of a result, and a model is hostile input.
 * @module
 */
import type { Outcome } from '@sworn/recorder'
import { present } from '../members.ts'

export interface ToolCall {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly arguments?: unknown
}

export interface Draft {
  text(part: string | undefined): void
  /** The tool call at a place is begun, or its arguments go on. */
  tool(
    place: string,
    call: { readonly id?: string | undefined; readonly name?: string | undefined; readonly part?: string | undefined },
  ): void
  done(): Answer
}

export interface Answer {
  readonly tool_calls?: readonly ToolCall[]
  readonly content?: unknown
}

const MAX_TEXT = 65_536
const MAX_TOOLS = 256

interface Growing {
  id?: string | undefined
  name?: string | undefined
  arguments: string
}

export function createDraft(): Draft {
  let content = ''
  const tools = new Map<string, Growing>()
  return {
    text(part = '') {
      if (content.length < MAX_TEXT) content += part.slice(0, MAX_TEXT - content.length)
    },
    tool(place, { id, name, part = '' }) {
      const call = tools.get(place) ?? { arguments: '' }
      if (!tools.has(place) && tools.size >= MAX_TOOLS) return
      tools.set(place, call)
      call.id ??= id
      call.name ??= name
      if (call.arguments.length < MAX_TEXT) call.arguments += part.slice(0, MAX_TEXT - call.arguments.length)
    },
    done: () => toAnswer(content, [...tools.values()]),
  }
}

/** Tool calls first: a long text would push them out of the record. */
export function toAnswer(content: unknown, tools: readonly ToolCall[]): Answer {
  return { ...(tools.length > 0 && { tool_calls: tools }), ...(content !== '' && content !== undefined && content !== null && { content }) }
}

/** Members of the outcome; absent ones stay absent. */
export function toOutcome(
  answers: readonly Answer[],
  finishReason: string | undefined,
  usage: { readonly [K in keyof NonNullable<Outcome['usage']>]?: number | undefined },
): Partial<Outcome> {
  const counted = present(usage)
  const output = answers.length === 1 ? answers[0] : answers
  return { output, ...present({ finishReason }), ...(Object.keys(counted).length > 0 && { usage: counted }) }
}
