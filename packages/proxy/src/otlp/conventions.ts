/**
 * Which attribute says what: the conventions of those who tell, as data.
 *
 * A span or log record is ours when one of `SPAN_KINDS` or `LOG_KINDS` names it; then each member is the first of its
 * attributes that is there. Attributes that no member took are kept in `metadata.ext.otlp`.
 * Source: OpenTelemetry semantic conventions, GenAI and MCP, as of 2026-05-05; OpenInference; OpenLLMetry (Traceloop);
 * AI SDK telemetry; monitoring references of Claude Code, Codex and Gemini CLI (capture.md §4.6, §4.9).
 * @module
 */

/** What was told of. `turn`: an agent answered. */
export type Kind = 'tool' | 'model' | 'resource' | 'turn' | 'decision' | 'prompt' | 'session'

/** attribute -> its value -> what the span is of. The first attribute that is known counts. */
export const SPAN_KINDS: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  'gen_ai.operation.name': {
    execute_tool: 'tool',
    chat: 'model',
    text_completion: 'model',
    generate_content: 'model',
    embeddings: 'model',
    retrieval: 'resource',
    invoke_agent: 'turn',
  },
  'mcp.method.name': { 'tools/call': 'tool', 'resources/read': 'resource' },
  'openinference.span.kind': { TOOL: 'tool', LLM: 'model', EMBEDDING: 'model', RETRIEVER: 'resource', AGENT: 'turn' },
  'traceloop.span.kind': { tool: 'tool', agent: 'turn' },
  'llm.request.type': { chat: 'model', completion: 'model', embedding: 'model' },
  'ai.operationId': {
    'ai.toolCall': 'tool',
    'ai.generateText.doGenerate': 'model',
    'ai.streamText.doStream': 'model',
    'ai.generateObject.doGenerate': 'model',
    'ai.streamObject.doStream': 'model',
    'ai.embed.doEmbed': 'model',
    'ai.embedMany.doEmbed': 'model',
  },
}

export interface LogKind {
  readonly kind: Kind
  /** The record tells that it failed. */
  readonly failed?: true
  /** Only where the attribute is there. */
  readonly has?: string
}

/** Names of log records. */
export const LOG_KINDS: Readonly<Record<string, LogKind>> = {
  'claude_code.tool_result': { kind: 'tool' },
  'claude_code.tool_decision': { kind: 'decision' },
  'claude_code.api_request': { kind: 'model' },
  'claude_code.api_error': { kind: 'model', failed: true },
  'claude_code.user_prompt': { kind: 'prompt' },
  'codex.conversation_starts': { kind: 'session' },
  'codex.user_prompt': { kind: 'prompt' },
  'codex.tool_decision': { kind: 'decision' },
  'codex.tool_result': { kind: 'tool' },
  'codex.sse_event': { kind: 'model', has: 'input_token_count' }, // a completed response is told twice, once with its tokens
  'gemini_cli.user_prompt': { kind: 'prompt' },
  'gemini_cli.tool_call': { kind: 'tool' },
  'gemini_cli.api_response': { kind: 'model' },
  'gemini_cli.api_error': { kind: 'model', failed: true },
}

/** Words for what an agent, or the person at it, decided on a call. */
export const DECISIONS: Readonly<Record<string, 'allow' | 'deny'>> = {
  accept: 'allow',
  approved: 'allow',
  approved_for_session: 'allow',
  reject: 'deny',
  denied: 'deny',
  abort: 'deny',
}

/** member -> attributes, the first that is there counts. */
export const MEMBERS = {
  tool: ['gen_ai.tool.name', 'tool.name', 'tool_name', 'function_name', 'ai.toolCall.name', 'traceloop.entity.name'],
  model: ['gen_ai.response.model', 'gen_ai.request.model', 'llm.model_name', 'embedding.model_name', 'ai.model.id', 'model'],
  provider: ['gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'llm.system', 'ai.model.provider', 'provider_name'],
  user: ['user.email', 'enduser.id', 'user.id', 'user.account_id'],
  agentId: ['gen_ai.agent.id'],
  agent: ['gen_ai.agent.name', 'agent.name', 'service.name'],
  agentVersion: ['gen_ai.agent.version', 'app.version', 'service.version'],
  session: ['gen_ai.conversation.id', 'session.id', 'conversation.id', 'mcp.session.id', 'traceloop.association.properties.session_id'],
  turn: ['prompt.id', 'prompt_id'],
  call: ['gen_ai.tool.call.id', 'tool_use_id', 'call_id', 'ai.toolCall.id', 'tool_call.id'],
  method: ['mcp.method.name'],
  rpcId: ['jsonrpc.request.id'],
  target: ['mcp.resource.uri', 'gen_ai.data_source.id'],
  input: [
    ...['gen_ai.tool.call.arguments', 'tool_input', 'tool_parameters', 'arguments', 'function_args', 'ai.toolCall.args'],
    ...['gen_ai.retrieval.query.text', 'gen_ai.input.messages', 'ai.prompt.messages', 'input.value', 'traceloop.entity.input'],
  ],
  output: [
    ...['gen_ai.tool.call.result', 'ai.toolCall.result', 'output', 'gen_ai.output.messages', 'ai.response.text'],
    ...['output.value', 'traceloop.entity.output'],
  ],
  prompt: ['prompt'],
  error: ['error.message', 'exception.message', 'error'],
  errorType: ['error.type', 'error_type', 'exception.type'],
  success: ['success'],
  decision: ['decision'],
  decidedBy: ['source', 'decision_source'],
  finish: ['gen_ai.response.finish_reasons', 'ai.response.finishReason', 'llm.finish_reason', 'finish_reasons'],
  durationMs: ['duration_ms'],
  inputTokens: [
    ...['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens', 'llm.token_count.prompt'],
    ...['ai.usage.inputTokens', 'ai.usage.promptTokens', 'input_tokens', 'input_token_count'],
  ],
  outputTokens: [
    ...['gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens', 'llm.token_count.completion'],
    ...['ai.usage.outputTokens', 'ai.usage.completionTokens', 'output_tokens', 'output_token_count'],
  ],
  cacheReadTokens: [
    ...['gen_ai.usage.cache_read.input_tokens', 'llm.token_count.prompt_details.cache_read', 'ai.usage.cachedInputTokens'],
    ...['cache_read_tokens', 'cached_token_count', 'cached_content_token_count'],
  ],
  cacheWriteTokens: [
    'gen_ai.usage.cache_creation.input_tokens',
    'llm.token_count.prompt_details.cache_write',
    'cache_creation_tokens',
    'cache_write_token_count',
  ],
  reasoningTokens: [
    ...['gen_ai.usage.reasoning.output_tokens', 'llm.token_count.completion_details.reasoning', 'ai.usage.reasoningTokens'],
    ...['reasoning_token_count', 'thoughts_token_count'],
  ],
  costUsd: ['cost_usd', 'llm.cost.total'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type Member = keyof typeof MEMBERS
