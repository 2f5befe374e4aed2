/**
 * Runs one rule of secretlint's recommended preset over a text, outside secretlint's engine.
 *
 * The engine is asynchronous and obeys comments in the scanned text; the rules are neither. They are loaded with the
 * first text that one of their literals is in. Source: the rules' `create(context, options).file(source)`.
 * @module
 */
import { createRequire } from 'node:module'

/** The slice of a rule that is used. */
interface Rule {
  readonly meta: { readonly id: string }
  create(context: Context, options: { readonly enableIDScanRule: true }): { file(source: Source): unknown }
}

interface Source {
  readonly content: string
  readonly contentType: 'text'
  readonly ext: string
}

interface Context {
  createTranslator(): (message: string) => { readonly messageId: string }
  report(finding: { readonly message: { readonly messageId: string }; readonly range: readonly [number, number] }): void
}

export interface Finding {
  readonly start: number
  readonly end: number
}

type Runner = (text: string, message: string | undefined) => readonly Finding[]

export const PRESET = '@secretlint/secretlint-rule-preset-recommend'

/** As pinned in package.json; part of what the scanner is called. */
export const PRESET_VERSION = '13.0.7'

const load = lazily(loadRunners)

/** @param message only findings of this message @throws when the preset is not installed or has no such rule */
export function runRule(rule: string, text: string, message?: string): readonly Finding[] {
  const run = load().get(rule)
  if (!run) throw new Error(`the preset has no rule ${rule}`)
  return run(text, message)
}

function loadRunners(): ReadonlyMap<string, Runner> {
  const { rules } = createRequire(import.meta.url)(PRESET) as { readonly rules: readonly Rule[] } // pinned; a test runs every rule
  return new Map(rules.map((rule) => [rule.meta.id.replace(/^.*secretlint-rule-/, ''), toRunner(rule)]))
}

/** The rule is made once; what it reports goes to whoever runs it now. */
function toRunner(rule: Rule): Runner {
  let found: (Finding & { readonly message: string })[] = []
  const { file } = rule.create(
    {
      createTranslator: () => (messageId) => ({ messageId }),
      report: ({ message, range: [start, end] }) => void found.push({ start, end, message: message.messageId }),
    },
    { enableIDScanRule: true },
  )
  return (content, message) => {
    found = []
    file({ content, contentType: 'text', ext: '' })
    return message === undefined ? found : found.filter((finding) => finding.message === message)
  }
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
