/**
 * Which hooks Codex runs: those whose hash its user trusted in `/hooks`.
 *
 * Codex keeps in its `config.toml` a table `hooks.state."FILE:event_name:GROUP:HOOK"` with `trusted_hash`, and `enabled =
 * false` for one that was switched off. The hash is SHA-256 over JSON with sorted names of the event, the matcher and the
 * hook. Source: codex-cli 0.169.0, whose `hooks/list` and tables the tests compare with. A form of these tables that is not
 * its own counts as not trusted: what is told is then to look there.
 * @module
 */

import { hash } from 'node:crypto'
import { asText } from '@sworn/verify'
import type { JsonNode } from '../clients/jsonc.ts'

export interface CodexHook {
  /** As Codex names it in its tables. */
  readonly key: string
  /** `sha256:` and 64 hexadecimal digits. */
  readonly hash: string
}

/** Seconds: a hook at the end of a session is cut to them, with a warning. */
export const CODEX_END_S = 3

/** Members that the hash is known of. */
const MEMBERS: ReadonlySet<string> = new Set(['type', 'command', 'timeout', 'async'])

/** The hook with `mark` at its place in `file`. Absent: it is not in the form that `sworn install` writes. */
export function codexHook(root: JsonNode, file: string, event: string, mark: string): CodexHook | undefined {
  const groups = root.members?.get('hooks')?.members?.get(event)?.items ?? []
  for (const [at, { members: group }] of groups.entries()) {
    const hooks = group?.get('hooks')?.items ?? []
    const place = hooks.findIndex(({ members }) => asText(members?.get('command')?.value).includes(mark))
    if (place < 0) continue
    if (![...hooks[place]!.members!.keys()].every((member) => MEMBERS.has(member))) return undefined
    const name = event.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()
    return { key: `${file}:${name}:${at}:${place}`, hash: hashOf(name, group?.get('matcher')?.value, hooks[place]!) }
  }
  return undefined
}

/** Names in the order in which Codex sorts them. */
function hashOf(event_name: string, matcher: unknown, { members }: JsonNode): string {
  const of = (name: string) => members?.get(name)?.value
  const given = of('timeout')
  const timeout = event_name === 'session_end' && typeof given === 'number' ? Math.min(given, CODEX_END_S) : given
  const hook = { async: of('async') ?? false, command: of('command'), timeout, type: of('type') }
  return `sha256:${hash('sha256', JSON.stringify({ event_name, hooks: [hook], ...(typeof matcher === 'string' && { matcher }) }))}`
}

const TABLE = /^\[hooks\.state\.("(?:[^"\\\n]|\\.)*"|'[^'\n]*')\]\s*(?:#.*)?$/
const TRUSTED = /^trusted_hash\s*=\s*["'](sha256:[0-9a-f]{64})["']/
const DISABLED = /^enabled\s*=\s*false\b/

/** The hashes that are trusted and not switched off, by key. @param toml the client's `config.toml`; hostile */
export function readCodexTrust(toml: string): ReadonlyMap<string, string> {
  const trusted = new Map<string, string>()
  const off = new Set<string>()
  let key: string | undefined
  for (const line of toml.split('\n').map((text) => text.trim())) {
    if (line.startsWith('[')) key = keyOf(TABLE.exec(line)?.[1])
    if (key === undefined) continue
    const found = TRUSTED.exec(line)?.[1]
    if (found !== undefined) trusted.set(key, found)
    if (DISABLED.test(line)) off.add(key)
  }
  for (const name of off) trusted.delete(name)
  return trusted
}

/** A basic string of TOML is one of JSON, as far as paths go. */
function keyOf(quoted: string | undefined): string | undefined {
  if (quoted === undefined || quoted.startsWith("'")) return quoted?.slice(1, -1)
  try {
    return String(JSON.parse(quoted))
  } catch {
    return undefined
  }
}
