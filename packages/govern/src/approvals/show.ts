/**
 * What a person sees: the redacted call, whole, and the hash of exactly these bytes.
 *
 * Promise: the lines under `arguments` are JSON that parses to the redacted arguments, and no character in
 * the text moves the cursor, hides or reorders text. What cannot be shown whole is not shown at all.
 * Source: spec events §1 (shown_hash), Unicode TR 36 §2.
 * @module
 */
import { hash } from 'node:crypto'

/** Bytes of the arguments as compact JSON above which a call is not put to a person. */
export const MAX_SHOWN_BYTES = 32_768

/** Control, format, surrogate, separators, and whatever shows as nothing. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\p{Default_Ignorable_Code_Point}/gu

/** The redacted members of a call; every one of them may come from the agent. */
export interface ShownCall {
  readonly tool: string
  readonly server?: string | undefined
  readonly agent?: string | undefined
  readonly user?: string | undefined
  readonly session?: string | undefined
  readonly reason: string
  readonly arguments: unknown
}

/** The first line is ours alone: no channel that guesses at markup finds any in it. */
const TITLE = 'sworn asks: may this tool call run?'

export function formatShown(call: ShownCall, about: { readonly id: string; readonly expiresAt: string }): string {
  const { tool, server, agent, user, session, reason } = call
  const named = Object.entries({ tool, server, agent, user, session, reason }).filter(([, value]) => value !== undefined)
  const lines = [
    TITLE,
    '',
    ...named.map(([name, value]) => `${name.padEnd(10)}${formatJson(value)}`),
    'arguments',
    formatJson(call.arguments ?? null),
    '',
    `question  ${about.id}`,
    `expires   ${about.expiresAt}`,
  ]
  return `${lines.join('\n')}\n`
}

/** `sha256:` + 64 hex characters over the UTF-8 bytes. */
export function hashShown(text: string): string {
  return `sha256:${hash('sha256', text, 'hex')}`
}

/** Indented JSON whose strings hold unsafe characters as `\uXXXX` only; line feeds are the layout's. */
function formatJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(UNSAFE, (char) => (char === '\n' ? char : escapeUnits(char)))
}

/** One or two UTF-16 units as JSON writes them. */
function escapeUnits(char: string): string {
  return Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
}
