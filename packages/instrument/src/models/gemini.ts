/** Gemini's generateContent: whole, and as chunks. Source: the types of `@google/genai` 2 and 3. @module */
import type { Outcome } from '@sworn/recorder'
import { countAt, listAt, memberOf, textAt } from '../members.ts'
import { type Answer, createDraft, type ToolCall, toAnswer, toOutcome } from './draft.ts'
import type { Assembly, Dialect } from './stream.ts'

const MAX_CANDIDATES = 16
const MAX_CALLS = 256

export const gemini: Dialect = { provider: 'gcp.gemini', describe, assemble }

function describe(data: unknown): Partial<Outcome> {
  const candidates = listAt(data, 'candidates').slice(0, MAX_CANDIDATES)
  return toOutcome(candidates.map(answerOf), textAt(candidates[0], 'finishReason'), usageOf(data))
}

function answerOf(candidate: unknown): Answer {
  return toAnswer(textOf(candidate), callsOf(candidate))
}

const partsOf = (candidate: unknown): readonly unknown[] => listAt(candidate, 'content', 'parts')
const textOf = (candidate: unknown): string => partsOf(candidate).map(saidIn).join('')

/** What the model thought is not what it said. */
const saidIn = (part: unknown): string => (memberOf(part, 'thought') === true ? '' : (textAt(part, 'text') ?? ''))

function callsOf(candidate: unknown): readonly ToolCall[] {
  return partsOf(candidate)
    .map((part) => memberOf(part, 'functionCall'))
    .filter((call) => call !== undefined)
    .map((call) => ({ id: textAt(call, 'id'), name: textAt(call, 'name'), arguments: memberOf(call, 'args') }))
}

/** What it thought is output too, and counted apart. */
function usageOf(data: unknown) {
  const said = countAt(data, 'usageMetadata', 'candidatesTokenCount')
  const thought = countAt(data, 'usageMetadata', 'thoughtsTokenCount')
  return {
    inputTokens: countAt(data, 'usageMetadata', 'promptTokenCount'),
    outputTokens: said === undefined ? thought : said + (thought ?? 0),
    cachedTokens: countAt(data, 'usageMetadata', 'cachedContentTokenCount'),
  }
}

/** Each chunk is an answer of its own; function calls come whole, usage grows. */
function assemble(): Assembly {
  const draft = createDraft()
  const calls: ToolCall[] = []
  let finishReason: string | undefined
  let usage = usageOf(undefined)
  return {
    add(chunk) {
      const [candidate] = listAt(chunk, 'candidates')
      draft.text(textOf(candidate))
      calls.push(...callsOf(candidate).slice(0, MAX_CALLS - calls.length))
      finishReason = textAt(candidate, 'finishReason') ?? finishReason
      if (memberOf(chunk, 'usageMetadata')) usage = usageOf(chunk)
    },
    done: () => ({
      outcome: toOutcome([toAnswer(draft.done().content, calls)], finishReason, usage),
      isComplete: finishReason !== undefined,
    }),
  }
}
