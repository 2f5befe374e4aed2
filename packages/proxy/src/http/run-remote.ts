/**
 * The stdio proxy in front of an HTTP server: the client's lines are relayed as ever, only the server is far away.
 * @module
 */
import { sayOf } from '../relay/create-session.ts'
import type { ProxyExit, ProxyOptions } from '../relay/options.ts'
import { runStdioProxy } from '../relay/run.ts'
import { openRemoteServer, type RemoteOptions } from './remote-server.ts'
import { checkUpstream } from './upstream.ts'

/** A client that speaks stdio, and an upstream that speaks HTTP. */
export interface RemoteProxyOptions extends Omit<ProxyOptions, 'command' | 'args' | 'env' | 'cwd'>, Omit<RemoteOptions, 'url' | 'warn'> {
  readonly upstream: URL
}

/**
 * Relays between this process's stdio and the upstream until the client has closed or a signal came. Otherwise as
 * `runStdioProxy`; the exit code is 0.
 *
 * @throws SwornError CONFIG_INVALID when the upstream is no address that can be proxied
 */
export function runRemoteProxy(options: RemoteProxyOptions): Promise<ProxyExit> {
  const { upstream: url, headers, limits } = options
  checkUpstream(url)
  const whole = Object.defineProperties({ command: url.host }, Object.getOwnPropertyDescriptors(options)) as ProxyOptions // a getter stays one
  const say = sayOf(options)
  const remote = { url, warn: (line: string) => say('warn', line), ...(headers && { headers }), ...(limits && { limits }) }
  return runStdioProxy(whole, async () => openRemoteServer(remote))
}
