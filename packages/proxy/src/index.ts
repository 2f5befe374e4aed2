/** Records and governs MCP traffic from outside the agent. @module */
export { foldName, isPlainMethod, isPlainToolName } from './frames/names.ts'
export { readFrame } from './frames/read.ts'
export { createSplitter, MAX_FRAME_BYTES } from './frames/split.ts'
export { extendRelay } from './relay/extend.ts'
export type {
  ProxyApprovals,
  ProxyExit,
  ProxyIdentity,
  ProxyOptions,
  ProxyRecorder,
  RecordAck,
  RelayOptions,
  SignalSource,
  ToolPins,
} from './relay/options.ts'
export { runStdioProxy } from './relay/run.ts'
export type { ServerOpener, ServerProcess } from './relay/server-process.ts'
