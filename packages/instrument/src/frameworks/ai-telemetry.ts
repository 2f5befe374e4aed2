/**
 * What the AI SDK calls: wrappers around models and tools, which are awaited and may refuse, and callbacks, which are
 * awaited and may not.
 * @module
 */
import { type Action, type Guard, type Outcome, SwornError } from '@sworn/recorder'
import type { InstrumentRecorder, Tools } from '../adapter.ts'
import { covered, uncovered } from '../covered.ts'
import { type Deciding, guardOf, observerOf } from '../deciding.ts'
import { createGaps } from '../gaps.ts'
import { memberOf, present, textAt } from '../members.ts'
import { describeError } from '../models/stream.ts'
import { describeModel } from './ai-models.ts'
import { inRun, isJudged, TOLD } from './ai-tools.ts'
import { createOpenCalls, type OpenCalls } from './open-calls.ts'

/** The event of a wrapper; the rest is read where it is needed. */
interface Wrapped<T> {
  readonly execute: () => PromiseLike<T>
}

/** Inputs and outputs, of models and of tools. */
const MAX_GAPS = 4

type Callback = (event: unknown) => Promise<void>

/** The members of `Telemetry` (7) and `TelemetryIntegration` (6) that are used. */
export interface Telemetry {
  executeLanguageModelCall<T>(event: Wrapped<T>): Promise<T>
  executeTool<T>(event: Wrapped<T>): Promise<T>
  readonly onLanguageModelCallEnd: Callback
  readonly onToolExecutionEnd: Callback
  readonly onAbort: Callback
  readonly onError: Callback
  readonly onToolCallStart: Callback
  readonly onToolCallFinish: Callback
}

/**
 * For `telemetry: { integrations: [aiTelemetry(recorder)] }` of a call, or for the SDK's own way to register it. The AI SDK 7
 * runs models and tools inside it, so both can be refused; 6 tells it of tools only. Beside `instrument()` a call that names
 * it is recorded once.
 */
export function aiTelemetry(recorder: InstrumentRecorder, deciding: Deciding = {}): Telemetry {
  const guard = guardOf(recorder, 'ai-sdk', deciding)
  return createTelemetry({ fixed: guard, observer: observerOf(recorder, 'ai-sdk', deciding), recorder }, () => true)
}

/** The SDK reads these members when a call is made: where its tools are judged by themselves, there is nothing to tell of them. */
export function createTelemetry(
  { fixed: guard, observer, recorder }: Omit<Tools, 'patches' | 'guard' | 'received'>,
  isActive: () => boolean,
): Telemetry {
  const [models, tools] = [createOpenCalls(guard), createOpenCalls(guard)]
  const tellGap = createGaps(recorder, 'ai-sdk', MAX_GAPS)
  const seen = new WeakMap<object, { readonly ref: string; readonly startMs: number }>() // 6: by the call, its ids repeat

  async function run<T>(open: OpenCalls, key: string, action: Action, event: Wrapped<T>): Promise<T> {
    const { execute } = event
    if (!isActive()) return execute()
    for (const reason of withheldFrom(event)) tellGap({ reason, kind: action.kind })
    const { verdict, ref } = await guard.begin(action)
    if (verdict.decision !== 'allow') throw new SwornError('ACTION_DENIED', verdict.reasonCode, action.kind)
    open.add(key, ref)
    try {
      return await recorder.withContext({ correlation_id: ref }, () => (action.kind === 'model' ? covered(execute) : uncovered(execute)))
    } catch (error) {
      open.end(key, describeError(error))
      throw error
    }
  }

  const observeTool: Callback = async (event) => {
    const call = memberOf(event, 'toolCall')
    if (!isActive() || typeof call !== 'object' || call === null) return
    const { ref } = await observer.begin(toolAction(event, observer))
    seen.set(call, { ref, startMs: performance.now() })
  }

  const executeTool: Telemetry['executeTool'] = (event) => run(tools, toolKey(event), toolAction(event, guard), event)
  const passTool: Telemetry['executeTool'] = async (event) => inRun(modelKey(event), event.execute)

  const telemetry: Telemetry = {
    executeLanguageModelCall: (event) => run(models, modelKey(event), modelAction(event, guard), event),
    get executeTool() {
      return isJudged() ? passTool : executeTool
    },
    onLanguageModelCallEnd: async (event) => models.end(modelKey(event), { status: 'ok', ...describeModel(event) }),
    onToolExecutionEnd: async (event) => tools.end(toolKey(event), describeTool(memberOf(event, 'toolOutput'))),
    onAbort: async (event) => models.end(modelKey(event), { status: 'cancelled', errorType: 'aborted', complete: false }),
    onError: async (event) => models.end(modelKey(event), { ...describeError(memberOf(event, 'error')), complete: false }),
    get onToolCallStart() {
      return isJudged() ? async () => undefined : observeTool
    },
    async onToolCallFinish(event) {
      const begun = seen.get(memberOf(event, 'toolCall') as object)
      if (!begun) return
      const { success, error, output } = event as { success?: boolean; error?: unknown; output?: unknown } // as 6 types it
      const outcome: Outcome = success === false ? describeError(error) : { status: 'ok', output }
      void observer.end(begun.ref, { ...outcome, durationMs: performance.now() - begun.startMs })
    },
  }
  return Object.defineProperty(telemetry, TOLD, { value: true })
}

/** `recordInputs: false` and `recordOutputs: false` of a call: the SDK tells us of it without them. */
function withheldFrom(event: unknown): readonly string[] {
  return [
    ...(memberOf(event, 'recordInputs') === false ? ['inputs_withheld'] : []),
    ...(memberOf(event, 'recordOutputs') === false ? ['outputs_withheld'] : []),
  ]
}

const modelKey = (event: unknown): string => textAt(event, 'callId') ?? ''
const toolKey = (event: unknown): string => `${modelKey(event)} ${textAt(event, 'toolCallId') ?? textAt(event, 'toolCall', 'toolCallId')}`

function modelAction(event: unknown, guard: Guard): Action {
  const [instructions, messages] = [memberOf(event, 'instructions'), memberOf(event, 'messages')]
  const provider = textAt(event, 'provider')
  const input = present({ instructions, messages, tools: namesOf(memberOf(event, 'tools')) })
  return {
    kind: 'model',
    name: textAt(event, 'modelId') ?? 'unknown',
    input,
    ids: idsOf(event, guard),
    ...(provider !== undefined && { provider }),
  }
}

/** Tools are functions and schemas: what the model could call is told by their names. */
function namesOf(tools: unknown): readonly unknown[] | undefined {
  return Array.isArray(tools) ? tools.map((tool) => memberOf(tool, 'name')) : undefined
}

function toolAction(event: unknown, guard: Guard): Action {
  const call = textAt(event, 'toolCall', 'toolCallId')
  const ids = { ...idsOf(event, guard), ...present({ call }) }
  return { kind: 'tool', name: textAt(event, 'toolCall', 'toolName') ?? 'unknown', input: memberOf(event, 'toolCall', 'input'), ids }
}

function idsOf(event: unknown, guard: Guard): Action['ids'] {
  return { ...present({ run: textAt(event, 'callId') }), ...guard.context() }
}

function describeTool(output: unknown): Outcome {
  if (memberOf(output, 'type') === 'tool-error') return describeError(memberOf(output, 'error'))
  return { status: 'ok', output: memberOf(output, 'output') }
}
