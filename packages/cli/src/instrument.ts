/**
 * `sworn/instrument`: the adapters of `@sworn/instrument`, decided by the policy of the recorder that they are given.
 *
 * A policy that is named and does not hold blocks every call. Without a policy everything is recorded and nothing is
 * refused but what touches the ledger, its keys and the configuration. An `ask` goes to the people of
 * `audit.approvals`; where none are configured it refuses.
 * @module
 */
import * as adapters from '@sworn/instrument'
import type { Recorder } from '@sworn/recorder'
import { askOf, gateOf, pricesOf } from './library-gate.ts'

export { type ClaudeHookReply, type ClaudeHooks, claudeHooks, claudePermissions } from './claude-hooks.ts'

function deciding(recorder: Recorder): adapters.Deciding {
  const [gate, ask, prices] = [gateOf(recorder), askOf(recorder), pricesOf(recorder)]
  return { ...(gate && { gate }), ...(ask && { ask }), ...(prices && { prices }) }
}

/**
 * Instruments the SDKs that the application can resolve, or those in `modules`; see `instrument` of `@sworn/instrument`.
 *
 * @throws TypeError for an unknown option name
 */
export async function instrument(recorder: Recorder, options: adapters.InstrumentOptions = {}): Promise<adapters.Instrumentation> {
  return adapters.instrument(recorder, { ...deciding(recorder), ...options })
}

/** `fn`, judged and on disk before it runs; see `wrapTool` of `@sworn/instrument`. */
export function wrapTool<A extends readonly unknown[], R>(
  recorder: Recorder,
  name: string,
  fn: (...args: A) => R | PromiseLike<R>,
): (...args: A) => Promise<R> {
  return adapters.wrapTool(recorder, name, fn, deciding(recorder))
}

/** An MCP transport, watched from before it is connected; see `auditTransport` of `@sworn/instrument`. */
export function auditTransport<T extends adapters.McpTransport>(recorder: Recorder, transport: T, options: adapters.AuditOptions = {}): T {
  return adapters.auditTransport(recorder, transport, { ...deciding(recorder), ...options })
}

/** An integration for the AI SDK's telemetry; see `aiTelemetry` of `@sworn/instrument`. */
export function aiTelemetry(recorder: Recorder): adapters.Telemetry {
  return adapters.aiTelemetry(recorder, deciding(recorder))
}

/** Callbacks for a run, a model or a tool of LangChain; see `langchainHandler` of `@sworn/instrument`. */
export function langchainHandler(recorder: Recorder): adapters.LangchainHandler {
  return adapters.langchainHandler(recorder, deciding(recorder))
}
