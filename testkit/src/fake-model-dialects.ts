/**
 * One turn of the fake model in the words of each vendor, whole and as server-sent events.
 *
 * Only the members that clients read. Usage is fixed: 7 tokens in, 5 out.
 * @module
 */
export interface ToolUse {
  readonly id: string
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
}

/** What the model says next. */
export interface Turn {
  readonly text?: string
  readonly tools?: readonly ToolUse[]
  /** An HTTP error instead of an answer. */
  readonly status?: number
  /** The connection is cut in the middle of the answer. */
  readonly cut?: true
  /** Half of a streamed answer comes, and nothing after it. */
  readonly stalls?: true
}

const TOKENS = { in: 7, out: 5 }

/** The text in pieces of at most `chars` code points, so that no character is torn here. */
function pieces(text: string, chars: number): string[] {
  const points = [...text]
  return Array.from({ length: Math.ceil(points.length / chars) }, (_, n) => points.slice(n * chars, (n + 1) * chars).join(''))
}

const data = (event: object): string => `data: ${JSON.stringify(event)}\n\n`
const named = (event: { readonly type: string; readonly [member: string]: unknown }): string => `event: ${event.type}\n${data(event)}`

// OpenAI chat completions

const chatUsage = { prompt_tokens: TOKENS.in, completion_tokens: TOKENS.out, total_tokens: TOKENS.in + TOKENS.out }
const chatTool = ({ id, name, args }: ToolUse) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(args) } })

export function chatCompletion({ text, tools }: Turn, model: string): object {
  const message = { role: 'assistant', content: text ?? null, ...(tools && { tool_calls: tools.map(chatTool) }) }
  const choice = { index: 0, message, finish_reason: tools ? 'tool_calls' : 'stop', logprobs: null }
  return { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model, choices: [choice], usage: chatUsage }
}

export function chatChunks({ text, tools }: Turn, model: string, chars: number): readonly string[] {
  const chunk = (delta: object, finish_reason: string | null = null) =>
    data({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason }] })
  const calls = (tools ?? []).flatMap((tool, index) => {
    const { function: called, ...rest } = chatTool(tool)
    const begun = chunk({ tool_calls: [{ index, ...rest, function: { name: called.name, arguments: '' } }] })
    return [begun, ...pieces(called.arguments, chars).map((part) => chunk({ tool_calls: [{ index, function: { arguments: part } }] }))]
  })
  const usage = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices: [], usage: chatUsage }
  const said = pieces(text ?? '', chars).map((content) => chunk({ content }))
  return [chunk({ role: 'assistant' }), ...said, ...calls, chunk({}, tools ? 'tool_calls' : 'stop'), data(usage), 'data: [DONE]\n\n']
}

// OpenAI Responses

const responseUsage = {
  input_tokens: TOKENS.in,
  output_tokens: TOKENS.out,
  total_tokens: TOKENS.in + TOKENS.out,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens_details: { reasoning_tokens: 0 },
}

function responseItems({ text, tools }: Turn): object[] {
  const part = { type: 'output_text', text, annotations: [] }
  const said = text === undefined ? [] : [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] }]
  const calls = (tools ?? []).map(({ id, name, args }, n) => ({
    id: `fc_${n}`,
    type: 'function_call',
    status: 'completed',
    call_id: id,
    name,
    arguments: JSON.stringify(args),
  }))
  return [...said, ...calls]
}

export function responseObject(turn: Turn, model: string): object {
  return { id: 'resp_1', object: 'response', created_at: 1, model, status: 'completed', output: responseItems(turn), usage: responseUsage }
}

export function responseEvents(turn: Turn, model: string, chars: number): readonly string[] {
  let sequence_number = 0
  const event = (type: string, members: object) => named({ type, sequence_number: sequence_number++, ...members })
  const begun = { ...responseObject(turn, model), status: 'in_progress', output: [], usage: null }
  const items = responseItems(turn).flatMap((item, output_index) => responseItem(event, item, output_index, chars))
  return [event('response.created', { response: begun }), ...items, event('response.completed', { response: responseObject(turn, model) })]
}

type EventOf = (type: string, members: object) => string

function responseItem(event: EventOf, item: object, output_index: number, chars: number): string[] {
  const at = { output_index, item_id: 'id' in item ? item.id : '' }
  if ('arguments' in item) {
    const parts = pieces(String(item.arguments), chars)
    return [
      event('response.output_item.added', { output_index, item: { ...item, arguments: '' } }),
      ...parts.map((delta) => event('response.function_call_arguments.delta', { ...at, delta })),
      event('response.output_item.done', { output_index, item }),
    ]
  }
  const [part] = (item as { content: { text: string }[] }).content // the other kind of item, made above
  return [
    event('response.output_item.added', { output_index, item: { ...item, content: [] } }),
    event('response.content_part.added', { ...at, content_index: 0, part: { type: 'output_text', text: '', annotations: [] } }),
    ...pieces(part?.text ?? '', chars).map((delta) => event('response.output_text.delta', { ...at, content_index: 0, delta })),
    event('response.output_item.done', { output_index, item }),
  ]
}

// Anthropic Messages

const anthropicContent = ({ text, tools }: Turn) => [
  ...(text === undefined ? [] : [{ type: 'text' as const, text }]),
  ...(tools ?? []).map(({ id, name, args }) => ({ type: 'tool_use' as const, id, name, input: args })),
]

export function anthropicMessage(turn: Turn, model: string): object {
  const usage = { input_tokens: TOKENS.in, output_tokens: TOKENS.out }
  const stop_reason = turn.tools ? 'tool_use' : 'end_turn'
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: anthropicContent(turn),
    stop_reason,
    stop_sequence: null,
    usage,
  }
}

export function anthropicEvents(turn: Turn, model: string, chars: number): readonly string[] {
  const begun = { ...anthropicMessage(turn, model), content: [], stop_reason: null, usage: { input_tokens: TOKENS.in, output_tokens: 1 } }
  const blocks = anthropicContent(turn).flatMap((block, index) => {
    const isText = block.type === 'text'
    const parts = pieces(isText ? block.text : JSON.stringify(block.input), chars)
    const toDelta = (part: string) => (isText ? { type: 'text_delta', text: part } : { type: 'input_json_delta', partial_json: part })
    return [
      named({ type: 'content_block_start', index, content_block: isText ? { type: 'text', text: '' } : { ...block, input: {} } }),
      ...parts.map((part) => named({ type: 'content_block_delta', index, delta: toDelta(part) })),
      named({ type: 'content_block_stop', index }),
    ]
  })
  const ended = {
    type: 'message_delta',
    delta: { stop_reason: turn.tools ? 'tool_use' : 'end_turn' },
    usage: { output_tokens: TOKENS.out },
  }
  return [named({ type: 'message_start', message: begun }), ...blocks, named(ended), named({ type: 'message_stop' })]
}

// Gemini

const geminiUsage = { promptTokenCount: TOKENS.in, candidatesTokenCount: TOKENS.out, totalTokenCount: TOKENS.in + TOKENS.out }
const geminiOf = (parts: readonly object[], model: string, last?: object): object => ({
  candidates: [{ index: 0, content: { role: 'model', parts }, ...(last && { finishReason: 'STOP' }) }],
  modelVersion: model,
  responseId: 'gemini-1',
  ...last,
})
const geminiCalls = ({ tools }: Turn) => (tools ?? []).map(({ id, name, args }) => ({ functionCall: { id, name, args } }))

export function geminiAnswer(turn: Turn, model: string): object {
  const said = turn.text === undefined ? [] : [{ text: turn.text }]
  return geminiOf([...said, ...geminiCalls(turn)], model, { usageMetadata: geminiUsage })
}

/** A function call is never in pieces; usage and the reason come with the last chunk. */
export function geminiChunks(turn: Turn, model: string, chars: number): readonly string[] {
  const said = pieces(turn.text ?? '', chars).map((text) => data(geminiOf([{ text }], model)))
  return [...said, data(geminiOf(geminiCalls(turn), model, { usageMetadata: geminiUsage }))]
}
