/**
 * LangChain's callbacks, for whoever hands handlers to a run instead of having its classes replaced.
 *
 * Awaited, and allowed to refuse. A refusal is an error of the tool: `ToolNode` and `createReactAgent` go on with it,
 * `createAgent` ends its run. A stream that is left has no end here. Source: spec capture §4.7, `@langchain/core` 1.2.13.
 * @module
 */
import type { Action, ActionIds } from '@sworn/recorder'
import type { InstrumentRecorder } from '../adapter.ts'
import { type Deciding, guardOf } from '../deciding.ts'
import { memberOf, present, textAt } from '../members.ts'
import { describeError } from '../models/stream.ts'
import { takeAnnounced } from './langchain-announced.ts'
import { describeResult, messagesOf } from './langchain-models.ts'
import { describeTool } from './langchain-tools.ts'
import { createOpenCalls } from './open-calls.ts'
import { refusalError } from './refusal.ts'

type Start = (what: unknown, input: unknown, runId: string, ...rest: unknown[]) => Promise<void>
type End = (result: unknown, runId: string) => Promise<void>

/** The members of `BaseCallbackHandler` that are used. */
export interface LangchainHandler {
  readonly name: string
  readonly awaitHandlers: true
  readonly raiseError: true
  /** Tools are told to handlers of agents. */
  readonly ignoreAgent: false
  readonly ignoreLLM: false
  readonly ignoreChain: true
  readonly ignoreRetriever: true
  readonly handleChatModelStart: Start
  readonly handleLLMStart: Start
  readonly handleLLMEnd: End
  readonly handleLLMError: End
  readonly handleToolStart: Start
  readonly handleToolEnd: End
  readonly handleToolError: End
}

/** For `callbacks` of a run, a model or a tool. What `instrument()` records already is left alone. */
export function langchainHandler(recorder: InstrumentRecorder, deciding: Deciding = {}): LangchainHandler {
  const guard = guardOf(recorder, 'langchain', deciding)
  const open = createOpenCalls(guard)

  async function start(action: Action, runId: string): Promise<void> {
    if (takeAnnounced(action.kind === 'tool' ? 'tool' : 'model')) return
    const { verdict, ref } = await guard.begin(action)
    if (verdict.decision !== 'allow') throw refusalError(verdict, action.kind)
    open.add(runId, ref)
  }

  const idsOf = (metadata: unknown, call?: string): ActionIds => ({
    ...present({ session: textAt(metadata, 'thread_id'), call }),
    ...guard.context(),
  })

  const startModel: Start = (what, input, runId, _parent, extra, _tags, metadata) => {
    const provider = textAt(metadata, 'ls_provider')
    const name = textAt(metadata, 'ls_model_name') ?? textAt(extra, 'invocation_params', 'model') ?? nameOf(what)
    const action = { kind: 'model' as const, name, input: { messages: messagesOf(input) }, ids: idsOf(metadata) }
    return start({ ...action, ...(provider !== undefined && { provider }) }, runId)
  }

  const failed: End = async (error, runId) => open.end(runId, describeError(error))

  return {
    name: 'sworn',
    awaitHandlers: true,
    raiseError: true,
    ignoreAgent: false,
    ignoreLLM: false,
    ignoreChain: true,
    ignoreRetriever: true,
    handleChatModelStart: startModel,
    handleLLMStart: startModel,
    handleLLMEnd: async (result, runId) => open.end(runId, { status: 'ok', ...describeResult(result) }),
    handleLLMError: failed,
    handleToolStart(what, input, runId, ...rest) {
      const [, , metadata, runName, call] = rest
      const name = typeof runName === 'string' ? runName : nameOf(what)
      const ids = idsOf(metadata, typeof call === 'string' ? call : undefined)
      return start({ kind: 'tool', name, input: parsed(input), ids }, runId)
    },
    handleToolEnd: async (result, runId) => open.end(runId, describeTool(result)),
    handleToolError: failed,
  }
}

/** What is serialised has a name, or the path of its class. */
function nameOf(what: unknown): string {
  const id = memberOf(what, 'id')
  return textAt(what, 'name') ?? (Array.isArray(id) ? textAt(id, id.length - 1) : undefined) ?? 'unknown'
}

/** Arguments come as their JSON. */
function parsed(input: unknown): unknown {
  try {
    return typeof input === 'string' && input.startsWith('{') ? JSON.parse(input) : input
  } catch {
    return input
  }
}
