/** The explicit form of the MCP adapter: one transport, no class of an SDK touched. @module */
import type { InstrumentRecorder } from '../adapter.ts'
import { type Deciding, guardOf, receivedBy } from '../deciding.ts'
import { type McpTransport, watchTransport } from './transport.ts'

export interface AuditOptions extends Deciding {
  /** Of the server, where it is known; recorded as `server`. */
  readonly server?: string
}

/**
 * Records and judges what passes through `transport`, and returns it; call it before `connect(transport)`.
 *
 * @throws TypeError when it is no transport
 */
export function auditTransport<T extends McpTransport>(recorder: InstrumentRecorder, transport: T, options: AuditOptions = {}): T {
  const server = { name: options.server }
  const guardAs = (name: string) => guardOf(recorder, name, options, true)
  const guards = { sent: guardAs('mcp'), received: guardAs(receivedBy('mcp')) }
  watchTransport(transport, { guards, recorder, isActive: () => true, server: () => server })
  return transport
}
