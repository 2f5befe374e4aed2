/** Records and governs MCP traffic from outside the agent. @module */
export { foldName, isPlainMethod, isPlainToolName } from './frames/names.ts'
export { readFrame } from './frames/read.ts'
export { createSplitter, MAX_FRAME_BYTES } from './frames/split.ts'
export type { Access, HttpProxy, HttpProxyOptions, Limits, ListenAddress } from './http/options.ts'
export { openHttpProxy } from './http/run-http.ts'
export { type RemoteProxyOptions, runRemoteProxy } from './http/run-remote.ts'
export type {
  ProxyApprovals,
  ProxyExit,
  ProxyIdentity,
  ProxyOptions,
  ProxyRecorder,
  RecordAck,
  RelayOptions,
  SignalSource,
} from './relay/options.ts'
export { runStdioProxy } from './relay/run.ts'
