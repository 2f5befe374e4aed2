/**
 * Where configuration, state and keys live: SWORN_HOME, else the platform's own directories.
 *
 * Linux: XDG Base Directory 0.8. macOS: Application Support. Windows: %APPDATA% and %LOCALAPPDATA%.
 * Keys and ledgers.json stand in `state`; they are never in a ledger directory.
 * @module
 */
import { posix, win32 } from 'node:path'

export interface Platform {
  readonly name: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  readonly homeDirectory: string
}

export interface Directories {
  /** Holds the user's sworn.yaml. */
  readonly config: string
  /** SWORN_HOME of the ledger core: keys/, ledgers.json, trusted.json. */
  readonly state: string
  /** The administrator's file. */
  readonly managedFile: string
}

/** The directories of this user; nothing is created. Relative XDG values are ignored, as the specification says. */
export function findDirectories(platform: Platform): Directories {
  const managedFile = findManagedFile(platform)
  const home = platform.env.SWORN_HOME
  if (home) return { config: home, state: home, managedFile }
  if (platform.name === 'win32') return { ...windows(platform), managedFile }
  if (platform.name === 'darwin') {
    const support = posix.join(platform.homeDirectory, 'Library', 'Application Support', 'sworn')
    return { config: support, state: support, managedFile }
  }
  return { config: xdg(platform, 'XDG_CONFIG_HOME', '.config'), state: xdg(platform, 'XDG_STATE_HOME', '.local/state'), managedFile }
}

function xdg(platform: Platform, name: string, fallback: string): string {
  const value = platform.env[name]
  return posix.join(value && posix.isAbsolute(value) ? value : posix.join(platform.homeDirectory, fallback), 'sworn')
}

function windows({ env, homeDirectory }: Platform): { config: string; state: string } {
  const roaming = env.APPDATA ?? win32.join(homeDirectory, 'AppData', 'Roaming')
  const local = env.LOCALAPPDATA ?? win32.join(homeDirectory, 'AppData', 'Local')
  return { config: win32.join(roaming, 'sworn'), state: win32.join(local, 'sworn') }
}

function findManagedFile(platform: Platform): string {
  if (platform.name === 'win32') return win32.join(platform.env.ProgramData ?? 'C:\\ProgramData', 'sworn', 'sworn.yaml')
  if (platform.name === 'darwin') return '/Library/Application Support/sworn/sworn.yaml'
  return '/etc/sworn/sworn.yaml'
}
