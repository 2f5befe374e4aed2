/**
 * Messages of ours: one line `sworn: …` on stderr, escaped, when its level is asked for.
 *
 * `-q` is `error`, `-v` is `debug`, else SWORN_LOG, else `info`; the same for every command. What a command was
 * asked for goes to stdout and is no message.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { escapeText } from '../text/escape.ts'

const LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type SayLevel = (typeof LEVELS)[number]
export type Say = (level: SayLevel, text: string) => void

export interface SayOptions {
  readonly quiet: boolean
  readonly verbose: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/** @throws SwornError CONFIG_INVALID when SWORN_LOG is none of the levels */
export function createSay(err: (line: string) => void, options: SayOptions): Say {
  const most = LEVELS.indexOf(levelOf(options))
  return (level, text) => {
    if (LEVELS.indexOf(level) <= most) err(escapeText(`sworn: ${text}`))
  }
}

function levelOf({ quiet, verbose, env }: SayOptions): SayLevel {
  if (quiet) return 'error'
  if (verbose) return 'debug'
  const named = env.SWORN_LOG
  if (!named) return 'info'
  const known = LEVELS.find((level) => level === named)
  if (known) return known
  throw new SwornError('CONFIG_INVALID', `one of ${LEVELS.join(', ')} was expected`, 'SWORN_LOG')
}
