/** Anthropic Messages: whole, and as events. Source: the types of `@anthropic-ai/sdk` 1. @module */
import type { Outcome } from '@sworn/recorder'
import { countAt, listAt, memberOf, textAt } from '../members.ts'
import { createDraft, toAnswer, toOutcome } from './draft.ts'
import type { Assembly, Dialect } from './stream.ts'

export const messages: Dialect = { provider: 'anthropic', describe, assemble }

const CALL = /tool_use$/

function describe(message: unknown): Partial<Outcome> {
  const blocks = listAt(message, 'content')
  const tools = blocks
    .filter((block) => CALL.test(textAt(block, 'type') ?? ''))
    .map((block) => ({ id: textAt(block, 'id'), name: textAt(block, 'name'), arguments: memberOf(block, 'input') }))
  const text = blocks.map((block) => textAt(block, 'text') ?? '').join('')
  return toOutcome([toAnswer(text, tools)], textAt(message, 'stop_reason'), usageOf(memberOf(message, 'usage')))
}

function usageOf(usage: unknown) {
  return {
    inputTokens: countAt(usage, 'input_tokens'),
    outputTokens: countAt(usage, 'output_tokens'),
    cachedTokens: countAt(usage, 'cache_read_input_tokens'),
  }
}

/** Usage comes with the first event and, what was said by then, with the last but one. */
function assemble(): Assembly {
  const draft = createDraft()
  let usage: unknown = {}
  let stopReason: string | undefined
  let isComplete = false
  return {
    add(event) {
      const type = textAt(event, 'type')
      const place = String(countAt(event, 'index') ?? 0)
      const block = memberOf(event, 'content_block')
      const used = memberOf(event, 'message', 'usage') ?? memberOf(event, 'usage')
      if (typeof used === 'object') usage = { ...(usage as object), ...used } // ours
      if (type === 'content_block_start' && CALL.test(textAt(block, 'type') ?? ''))
        draft.tool(place, { id: textAt(block, 'id'), name: textAt(block, 'name') })
      draft.text(textAt(event, 'delta', 'text'))
      const part = textAt(event, 'delta', 'partial_json')
      if (part !== undefined) draft.tool(place, { part })
      stopReason = textAt(event, 'delta', 'stop_reason') ?? stopReason
      isComplete ||= type === 'message_stop'
    },
    done: () => ({ outcome: toOutcome([draft.done()], stopReason, usageOf(usage)), isComplete }),
  }
}
