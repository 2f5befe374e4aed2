/**
 * The file of users and roles that a configuration names, with the files that it names, read once.
 *
 * Missing or invalid blocks everything, as a policy does: nobody loses a limit by a typing error.
 * @module
 */
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { RoleOptions } from '@sworn/govern'
import { hashConfig, readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'

type Environment = Readonly<Record<string, string | undefined>>

export interface RolesPlan {
  /** Differs when other roles would come out. */
  readonly key: string
  /** Every file that is read. */
  readonly files: readonly string[]
  /** @throws SwornError POLICY_INVALID when the named file is missing or does not hold */
  open(env: Environment): Promise<RoleOptions | undefined>
}

/** Where a file may name others; what is found here is watched and protected, the reader decides what it means. */
const NAMED = /\b(?:rules_file|users_file)["']?\s*:\s*["']?([^\s"',}#]+)/g

/** Reads now; `open` checks what was read. */
export function planRoles(name: string | undefined): RolesPlan {
  if (name === undefined) return { key: '', files: [], open: async () => undefined }
  const text = readTextFile(name)
  const beside = new Map(Array.from((text ?? '').matchAll(NAMED), ([, named = '']) => [named, pathOf(named, name)]))
  const texts = new Map([...beside].map(([named, path]) => [named, readTextFile(path)]))
  return {
    key: JSON.stringify([name, text ?? '', ...texts].map((part) => hashConfig(JSON.stringify(part)))),
    files: [name, ...beside.values()],
    async open(env) {
      if (text === undefined) throw new SwornError('POLICY_INVALID', 'the named file of roles does not exist', name)
      const { loadRoles } = await import('@sworn/govern/roles')
      return { directory: loadRoles({ text, name }, { readBeside: (named) => texts.get(named) }), env }
    },
  }
}

function pathOf(named: string, from: string): string {
  if (named.startsWith('~/')) return join(homedir(), named.slice(2))
  return isAbsolute(named) ? named : resolve(from, '..', named)
}
