/** Opens a recorder for a command: its flags, this program as the recorder process of short-lived commands. @module */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { Io } from './frame/io.ts'
import { type Opened, openAll } from './open-recorder.ts'

export interface CommandOptions {
  readonly path?: string | undefined
  readonly config?: string | undefined
  readonly policy?: string | undefined
  readonly user?: string | undefined
  readonly agent?: string | undefined
}

/** @throws what `openAll` throws */
export function openFor(io: Io, options: CommandOptions): Promise<Opened> {
  const { path, config, policy, user, agent } = options
  return openAll({
    cwd: io.cwd,
    env: io.env,
    ...(path !== undefined && { path }),
    ...(config !== undefined && { config }),
    ...(policy !== undefined && { policy }),
    ...(user !== undefined && { user }),
    ...(agent !== undefined && { agent }),
  })
}

/** Starts a detached `sworn recorder` on the same ledger. */
export function spawnRecorderOf(io: Io, path: string): () => void {
  return () => {
    const [command = process.execPath, ...args] = io.self
    spawn(command, [...args, 'recorder', resolve(io.cwd, path), '--idle-exit', '60s', '-q'], {
      detached: true,
      stdio: 'ignore',
      env: { ...io.env },
    }).unref()
  }
}
