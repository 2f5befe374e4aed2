/** OpenAI Responses: whole, and as events, of which the last holds the whole. Source: the types of `openai` 5 and 7. @module */
import type { Outcome } from '@sworn/recorder'
import { countAt, listAt, memberOf, textAt } from '../members.ts'
import { createDraft, toAnswer, toOutcome } from './draft.ts'
import type { Assembly, Dialect } from './stream.ts'

export const responses: Dialect = { provider: 'openai', describe, assemble }

const CALL = /_call$/
const ENDS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed'])

function describe(response: unknown): Partial<Outcome> {
  const items = listAt(response, 'output')
  const tools = items
    .filter((item) => CALL.test(textAt(item, 'type') ?? ''))
    .map((item) => ({
      id: textAt(item, 'call_id') ?? textAt(item, 'id'),
      name: nameOf(item),
      arguments: memberOf(item, 'arguments') ?? memberOf(item, 'input') ?? memberOf(item, 'action'),
    }))
  const status = textAt(response, 'status')
  const outcome = toOutcome([toAnswer(textOf(items), tools)], textAt(response, 'incomplete_details', 'reason') ?? status, {
    inputTokens: countAt(response, 'usage', 'input_tokens'),
    outputTokens: countAt(response, 'usage', 'output_tokens'),
    cachedTokens: countAt(response, 'usage', 'input_tokens_details', 'cached_tokens'),
  })
  if (status !== 'failed') return outcome
  return { ...outcome, status: 'error', error: memberOf(response, 'error'), errorType: textAt(response, 'error', 'code') ?? 'failed' }
}

/** The vendor's own tools have a type only: `shell_call` is a call of `shell`, by which name it is recorded where it runs. */
function nameOf(item: unknown): string | undefined {
  return textAt(item, 'name') ?? textAt(item, 'type')?.replace(CALL, '')
}

function textOf(items: readonly unknown[]): string {
  const parts = items.flatMap((item) => listAt(item, 'content'))
  return parts.map((part) => textAt(part, 'text') ?? textAt(part, 'refusal') ?? '').join('')
}

/** What arrived until the last event counts only when that event never came. */
function assemble(): Assembly {
  const draft = createDraft()
  let whole: Partial<Outcome> | undefined
  return {
    add(event) {
      const type = textAt(event, 'type') ?? ''
      if (ENDS.has(type)) whole = describe(memberOf(event, 'response'))
      if (type === 'response.output_text.delta') draft.text(textAt(event, 'delta'))
      const place = String(countAt(event, 'output_index') ?? 0)
      if (type === 'response.function_call_arguments.delta') draft.tool(place, { part: textAt(event, 'delta') })
      const item = type === 'response.output_item.added' ? memberOf(event, 'item') : undefined
      if (CALL.test(textAt(item, 'type') ?? ''))
        draft.tool(place, { id: textAt(item, 'call_id') ?? textAt(item, 'id'), name: nameOf(item) })
    },
    done: () => ({ outcome: whole ?? toOutcome([draft.done()], undefined, {}), isComplete: whole !== undefined }),
  }
}
