/** The proxy over HTTP. Apart from the main entry, which loads nothing of HTTP. @module */
export { checkAccess } from './admit.ts'
export type { Access, HttpProxy, HttpProxyOptions, Limits, ListenAddress } from './options.ts'
export { openHttpProxy } from './run-http.ts'
export { type RemoteProxyOptions, runRemoteProxy } from './run-remote.ts'
export { openStdioServer } from './run-stdio-server.ts'
export type { StdioServerOptions } from './seat.ts'
