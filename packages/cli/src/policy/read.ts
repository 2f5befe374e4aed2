/** What the policy commands share: files in, lines out. @module */
import { resolve } from 'node:path'
import type { Policy, Profile } from '@sworn/govern'
import { loadPolicy } from '@sworn/govern/policy'
import { readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import { loadFor } from '../reading/location.ts'
import { escapeText } from '../text/escape.ts'

export interface PolicyOptions {
  readonly profile: Profile
  readonly session: string | undefined
  readonly json: boolean | undefined
}

export interface Source {
  readonly text: string
  readonly name: string
}

/** @throws SwornError USAGE */
export function missing(message: string): never {
  throw new SwornError('USAGE', message)
}

/** @throws SwornError POLICY_INVALID when there is no such file */
export function readSource(file: string, io: Io): Source {
  const name = resolve(io.cwd, file)
  const text = readTextFile(name)
  if (text === undefined) throw new SwornError('POLICY_INVALID', 'there is no such file', name)
  return { text, name }
}

/** The named policy, else that of the configuration. */
export async function readPolicy(
  file: string | undefined,
  { profile }: PolicyOptions,
  io: Io,
): Promise<{ readonly policy: Policy; readonly source: Source }> {
  const source = readSource(file ?? (await loadFor(io)).values.policy ?? missing('a policy file was expected'), io)
  return { policy: loadPolicy(source, { profile }), source }
}

/** One JSON object, or lines that a terminal can show. */
export async function print(what: object | readonly string[], io: Io): Promise<void> {
  if (!Array.isArray(what)) return void (await io.out(JSON.stringify(what)))
  for (const line of what) await io.out(escapeText(String(line)))
}
