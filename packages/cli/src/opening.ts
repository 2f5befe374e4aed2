/** Opens a recorder for a command: its flags over the configuration. @module */
import type { Io } from './frame/io.ts'
import { type Opened, type OpenOptions, openAll } from './open-recorder.ts'

export interface CommandOptions {
  readonly path?: string | undefined
  readonly config?: string | undefined
  readonly policy?: string | undefined
  readonly user?: string | undefined
  readonly agent?: string | undefined
  readonly previousLog?: OpenOptions['previousLog'] | undefined
}

/** @throws what `openAll` throws */
export function openFor(io: Io, options: CommandOptions): Promise<Opened> {
  const { path, config, policy, user, agent, previousLog } = options
  return openAll({
    cwd: io.cwd,
    env: io.env,
    ...(path !== undefined && { path }),
    ...(config !== undefined && { config }),
    ...(policy !== undefined && { policy }),
    ...(user !== undefined && { user }),
    ...(agent !== undefined && { agent }),
    ...(previousLog !== undefined && { previousLog }),
  })
}
