/** Where MCP clients keep their configuration, per platform. @module */
import { join } from 'node:path'
import type { Io } from '../frame/io.ts'

export const CLIENTS = ['claude-desktop', 'cursor', 'vscode'] as const
export type Client = (typeof CLIENTS)[number]

/** Candidate files, the project's before the user's. */
export function clientFiles(client: Client, io: Pick<Io, 'platform' | 'env' | 'homeDirectory' | 'cwd'>): string[] {
  const base = applicationDirectory(io)
  if (client === 'claude-desktop') return [join(base, 'Claude', 'claude_desktop_config.json')]
  if (client === 'cursor') return [join(io.cwd, '.cursor', 'mcp.json'), join(io.homeDirectory, '.cursor', 'mcp.json')]
  return [join(io.cwd, '.vscode', 'mcp.json'), join(base, 'Code', 'User', 'mcp.json')]
}

function applicationDirectory(io: Pick<Io, 'platform' | 'env' | 'homeDirectory'>): string {
  if (io.platform === 'win32') return io.env.APPDATA ?? join(io.homeDirectory, 'AppData', 'Roaming')
  if (io.platform === 'darwin') return join(io.homeDirectory, 'Library', 'Application Support')
  return io.env.XDG_CONFIG_HOME || join(io.homeDirectory, '.config')
}
