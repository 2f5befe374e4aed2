/**
 * A server, whole: it listens, lets in, and mounts the rooms. Read this file first.
 *
 * Rooms answer; the server brings the listener (`listener.ts`), who may come in (`access.ts`), what is recorded of those
 * who may not (`refusals.ts`) and the paths (`app.ts`). Source: design §2, §4.
 * @module
 */
import { isIPv6 } from 'node:net'
import { checkAccess, createEntrance } from './access.ts'
import { createApp } from './app.ts'
import { bind } from './listener.ts'
import { LIMITS, type ListenAddress, type Server, type ServerOptions } from './options.ts'
import { createRefusals } from './refusals.ts'

/**
 * Listens until it is closed. Paths of its own: `POST /v1/events`, `/v1/traces`, `/v1/logs` (token) and `GET /health`; all others are the rooms'.
 *
 * @throws SwornError CONFIG_INVALID when others could reach the address without a secret, or a certificate does not hold;
 * IO_FAILED when the address cannot be listened on
 */
export async function openServer(options: ServerOptions): Promise<Server> {
  const { listen, access, recorder } = options
  checkAccess(listen, access)
  const bound = await bind(listen, access.tls, { ...LIMITS, ...options.limits })
  const refusals = createRefusals((event) => recorder.record(event))
  bound.serve(createApp(options, { entrance: createEntrance(listen, access, bound.port), refusals }))
  return {
    url: `${access.tls === undefined ? 'http' : 'https'}://${formatAddress({ ...listen, port: bound.port })}`,
    async close() {
      await bound.close()
      await refusals.close()
    },
  }
}

function formatAddress({ host, port }: ListenAddress): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}
