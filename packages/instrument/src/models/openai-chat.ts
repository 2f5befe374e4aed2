/** OpenAI chat completions: whole, and as chunks. Source: the types of `openai` 5 and 7. @module */
import type { Outcome } from '@sworn/recorder'
import { countAt, listAt, memberOf, textAt } from '../members.ts'
import { type Answer, createDraft, type Draft, toAnswer, toOutcome } from './draft.ts'
import type { Assembly, Dialect } from './stream.ts'

const MAX_CHOICES = 16

export const chat: Dialect = { provider: 'openai', describe, assemble }

function describe(data: unknown): Partial<Outcome> {
  const choices = listAt(data, 'choices').slice(0, MAX_CHOICES)
  return toOutcome(choices.map(answerOf), textAt(choices[0], 'finish_reason'), usageOf(data))
}

function answerOf(choice: unknown): Answer {
  const tools = listAt(choice, 'message', 'tool_calls').map((call) => ({
    id: textAt(call, 'id'),
    name: textAt(call, 'function', 'name') ?? textAt(call, 'custom', 'name'),
    arguments: memberOf(call, 'function', 'arguments') ?? memberOf(call, 'custom', 'input'),
  }))
  return toAnswer(memberOf(choice, 'message', 'content') ?? memberOf(choice, 'message', 'refusal'), tools)
}

function usageOf(data: unknown) {
  return {
    inputTokens: countAt(data, 'usage', 'prompt_tokens'),
    outputTokens: countAt(data, 'usage', 'completion_tokens'),
    cachedTokens: countAt(data, 'usage', 'prompt_tokens_details', 'cached_tokens'),
  }
}

/** Usage comes in the last chunk, when the caller asked for it (`stream_options.include_usage`). */
function assemble(): Assembly {
  const drafts = new Map<number, Draft>()
  let finishReason: string | undefined
  let usage: ReturnType<typeof usageOf> = usageOf(undefined)
  return {
    add(chunk) {
      if (memberOf(chunk, 'usage')) usage = usageOf(chunk)
      for (const choice of listAt(chunk, 'choices')) {
        finishReason ??= textAt(choice, 'finish_reason')
        const index = countAt(choice, 'index') ?? 0
        if (index < MAX_CHOICES) addDelta(drafts.get(index) ?? keep(drafts, index), memberOf(choice, 'delta'))
      }
    },
    done: () => ({
      outcome: toOutcome(
        [...drafts.values()].map((draft) => draft.done()),
        finishReason,
        usage,
      ),
      isComplete: finishReason !== undefined,
    }),
  }
}

function keep(drafts: Map<number, Draft>, index: number): Draft {
  const draft = createDraft()
  drafts.set(index, draft)
  return draft
}

function addDelta(draft: Draft, delta: unknown): void {
  draft.text(textAt(delta, 'content') ?? textAt(delta, 'refusal'))
  for (const call of listAt(delta, 'tool_calls')) {
    const [name, part] = [textAt(call, 'function', 'name'), textAt(call, 'function', 'arguments')]
    draft.tool(String(countAt(call, 'index') ?? 0), { id: textAt(call, 'id'), name, part })
  }
}
