/** What every command shares that relays MCP: its warnings, its exit code, its end. @module */
import { SwornError } from '@sworn/verify'
import type { ExitCode } from './frame/command.ts'
import type { Io } from './frame/io.ts'
import type { Opened } from './open-recorder.ts'

const SIGNAL_BASE = 128
const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

/** @param isJudged by another server */
export function warnAtStart(
  { policyNamed, policyFault, policy }: Opened,
  { isBatch, isJudged }: { readonly isBatch: boolean; readonly isJudged: boolean },
  { say }: Io,
): void {
  if (!policyNamed && !isJudged) say('warn', 'no policy: everything is recorded, nothing is blocked')
  if (policyFault !== undefined) say('error', `policy_invalid: ${policyFault}; everything is blocked`)
  if (policy?.identity?.requireToken) say('warn', 'identity.require_token: each call needs a token; see the policy server reference')
  if (isBatch) say('warn', 'batch mode: a power cut may lose the newest decisions')
}

export function toExitCode(exit: { readonly exitCode: number | null; readonly signal: string | null }): ExitCode {
  return exit.exitCode ?? SIGNAL_BASE + (SIGNALS[exit.signal ?? ''] ?? 15)
}

interface Closable {
  readonly recorder: { close(): Promise<void> }
}

/** The server's exit code stands, even when the ledger cannot be closed; what was lost is said. */
export async function closeQuietly({ recorder }: Closable, warn: (text: string) => void): Promise<void> {
  try {
    await recorder.close()
  } catch (e) {
    warn(SwornError.is(e) ? `${e.code} ${e.message}` : 'the ledger could not be closed')
  }
}
