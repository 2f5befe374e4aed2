/**
 * `${VAR}` and `${VAR:-default}` in configuration texts.
 *
 * An unset or empty variable takes the default; without one it is an error that names the variable.
 * `$$` stands for a dollar sign. A value is put in as text: it cannot add structure.
 * @module
 */
import { SwornError } from '@sworn/verify'

const REFERENCE = /\$\$|\$\{([^}]*)\}?/g
const INNER = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/

/**
 * `text` with its references resolved.
 * @param at the place for errors
 * @throws SwornError CONFIG_INVALID naming the variable, never a value
 */
export function substitute(text: string, env: Readonly<Record<string, string | undefined>>, at: string): string {
  return text.replace(REFERENCE, (whole, inner: string | undefined) => {
    if (whole === '$$') return '$'
    const match = whole.endsWith('}') ? INNER.exec(inner ?? '') : null
    if (!match)
      throw new SwornError('CONFIG_INVALID', 'a reference of the form {NAME} or {NAME:-default} behind a dollar sign was expected', at)
    const value = env[match[1]!]
    if (value) return value
    if (match[2] !== undefined) return match[2]
    throw new SwornError('CONFIG_INVALID', `the environment variable ${match[1]} is not set and has no default`, at)
  })
}
