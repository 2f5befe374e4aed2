/**
 * SWORN_RECORDER: which process appends.
 *
 * `off`: this one does, no other is started. A ledger, or its `log.sock`: the recorder process of that ledger does,
 * and where none answers one is started; the key is then not in the agent's process. Unset: long-lived programs
 * append themselves, short-lived commands start a recorder process.
 * @module
 */
import { basename, dirname, resolve } from 'node:path'
import { SwornError } from '@sworn/verify'

export interface RecorderChoice {
  readonly recorder: 'process' | 'own' | 'by command'
  /** The ledger that is named, as it is named. */
  readonly ledger?: string
}

/** @throws SwornError CONFIG_INVALID for an address, or another ledger than SWORN_LEDGER names */
export function readRecorderChoice(env: Readonly<Record<string, string | undefined>>): RecorderChoice {
  const { SWORN_RECORDER: named, SWORN_LEDGER: other } = env
  if (!named) return { recorder: 'by command' }
  if (named === 'off') return { recorder: 'own' }
  if (/^[a-z]+:\/\//i.test(named) || (named.endsWith('.sock') && basename(named) !== 'log.sock')) {
    throw new SwornError('CONFIG_INVALID', '`off`, the path of a ledger or of its log.sock was expected', 'SWORN_RECORDER')
  }
  const ledger = basename(named) === 'log.sock' ? dirname(named).replace(/\.jsonl\.ledger$/, '.jsonl') : named
  if (other && resolve(other) !== resolve(ledger)) {
    throw new SwornError('CONFIG_INVALID', 'the ledger that SWORN_LEDGER names was expected', 'SWORN_RECORDER')
  }
  return { recorder: 'process', ledger }
}
