/** Hooks at `sworn serve`: over HTTP where only this machine reaches it, and at the socket of this user. @module */
import { resolve } from 'node:path'
import { isLoopback } from '@sworn/recorder/http'
import type { ListenAddress, TokenFile } from '@sworn/server'
import type { Io } from '../frame/io.ts'
import type { Opened } from '../open-recorder.ts'
import { openHookDoor } from './door.ts'
import { createHooksRoom, type HooksRoom } from './route.ts'

export type { HooksRoom }

export interface ServedHooks {
  readonly listen: ListenAddress
  readonly tokens: readonly TokenFile[]
  /** Of `sworn serve`. */
  readonly flags: {
    readonly [F in 'policy' | 'roles' | 'config']?: string | undefined
  } & { readonly 'policy-key': readonly string[] }
}

export async function openHooks({ port, config }: Opened, { listen, tokens, flags }: ServedHooks, io: Io): Promise<HooksRoom> {
  const door = await openHookDoor(config.directories.state, io, port)
  const files = (['policy', 'roles', 'config'] as const).flatMap((name) => {
    const file = flags[name]
    return file === undefined ? [] : [`--${name}`, resolve(io.cwd, file)]
  })
  const keys = flags['policy-key'].flatMap((key) => ['--policy-key', key])
  const room = createHooksRoom({ tokens, flags: ['--audit-log', port.info.path, ...files, ...keys], port }, io)
  return {
    endpoint: 'hooks',
    route: async (request) => (isLoopback(listen.host) ? room.route(request) : undefined),
    async close() {
      await Promise.all([door?.close(), room.close()])
    },
  }
}
