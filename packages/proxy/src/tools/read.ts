/**
 * One file of tools: YAML text to tools that can be run, every error with line and column. Hostile input.
 *
 * Refuses instead of repairing: unknown members, parameters that nobody declared, places where a value would be run.
 * Source: Gantz's tutorial, step 1.
 * @module
 */
import { resolve } from 'node:path'
import { parseYaml, type Source } from '@sworn/govern/policy'
import { didYouMean, SwornError } from '@sworn/recorder'
import type { z } from 'zod'
import { faultOf } from './arguments.ts'
import { runsText } from './evaluators.ts'
import { KEYS, type ToolDocument, toolsSchema } from './schema.ts'
import { compileShell, PLACEHOLDER } from './shell.ts'
import type { Head, Parameter, Script, Template, Tool, ToolFile } from './types.ts'

type Refuse = (message: string, path: readonly PropertyKey[]) => SwornError

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }
const MAX_TIMEOUT_MS = 3_600_000

/** A tool's script in both forms, with what follows from it. */
type Compiled = Pick<Tool, 'script' | 'heads' | 'variables'>

/**
 * @param directory absolute: where the file is, and where its tools run
 * @throws SwornError CONFIG_INVALID at `name:line:column path`
 */
export function readTools(text: string, name: string, directory: string): ToolFile {
  const source = parseYaml(text, name, 'CONFIG_INVALID')
  const refuse: Refuse = (message, path) => new SwornError('CONFIG_INVALID', message, source.place(path))
  const result = toolsSchema.safeParse(source.value ?? {})
  if (!result.success) throw toError(result.error.issues[0]!, source)
  const { data } = result
  const seen = new Set<string>()
  const tools = data.tools.map((document, i) => {
    if (seen.has(document.name)) throw refuse('another name was expected: a tool above has this one', ['tools', i, 'name'])
    seen.add(document.name)
    return toTool(document, directory, (message, path) => refuse(message, ['tools', i, ...path]))
  })
  return { configures: data.audit !== undefined, name: data.name, version: data.version, tools }
}

function toTool(document: ToolDocument, directory: string, refuse: Refuse): Tool {
  const parameters = document.parameters.map((parameter, i) => {
    if (document.parameters.findIndex(({ name }) => name === parameter.name) !== i)
      throw refuse('another name was expected: a parameter above has this one', ['parameters', i, 'name'])
    return toParameter(parameter, (message, path) => refuse(message, ['parameters', i, ...path]))
  })
  for (const [i, variable] of document.env.entries())
    if (variable.startsWith('SWORN_')) throw refuse('variables of sworn are not handed to tools', ['env', i])
  const { script, heads, variables } = compile(document, parameters, refuse)
  const { working_dir = '.', max_output: outputBytes } = document.script
  return {
    name: document.name,
    description: document.description,
    parameters,
    script,
    heads,
    variables: [...document.env, ...variables.filter((variable) => !variable.startsWith('SWORN_'))],
    directory: resolve(directory, working_dir),
    timeoutMs: timeoutOf(document, refuse),
    outputBytes,
    audit: document.audit,
  }
}

function toParameter(document: ToolDocument['parameters'][number], refuse: Refuse): Parameter {
  const { name, type, description, required, enum: values, default: fallback, leading_dash: leadingDash } = document
  const parameter: Parameter = {
    name,
    type,
    required,
    leadingDash,
    ...(description !== undefined && { description }),
    ...(values && { values }),
    ...(fallback !== undefined && { fallback }),
  }
  const { values: _, ...unlimited } = parameter
  const strange = values?.findIndex((value) => faultOf(unlimited, value) !== undefined) ?? -1
  if (strange >= 0) throw refuse(`${type} was expected`, ['enum', strange])
  if (fallback === undefined) return parameter
  if (required) throw refuse('a required parameter has no default', ['default'])
  const fault = faultOf(parameter, fallback)
  if (fault !== undefined) throw refuse(fault, ['default'])
  return parameter
}

function timeoutOf({ script: { timeout } }: ToolDocument, refuse: Refuse): number {
  const [, digits = '', unit = ''] = /^(\d+)(\w+)$/.exec(timeout) ?? []
  const ms = Number(digits) * (UNITS[unit] ?? 1)
  if (ms > MAX_TIMEOUT_MS) throw refuse('at most 60m was expected', ['script', 'timeout'])
  return ms
}

function compile({ script }: ToolDocument, parameters: readonly Parameter[], refuse: Refuse): Compiled {
  const known = new Set(parameters.map(({ name }) => name))
  const texts = [['shell', script.shell], ['command', script.command], ...(script.args ?? []).map((arg, i) => [`args.${i}`, arg])] as const
  for (const [place, text = ''] of texts) checkNames(text, known, (message) => refuse(message, ['script', ...place!.split('.')]))
  if (script.shell !== undefined) {
    const numbers = new Set(parameters.flatMap(({ name, type }) => (type === 'string' ? [] : [name])))
    const compiled = compileShell(script.shell, numbers)
    if ('refused' in compiled) throw refuse(compiled.refused, ['script', 'shell'])
    return { ...compiled, script: { form: 'shell', text: compiled.text } }
  }
  return compileCommand(script.command!, script.args ?? [], refuse)
}

function checkNames(text: string, known: ReadonlySet<string>, refuse: (message: string) => SwornError): void {
  for (const [, name = ''] of text.matchAll(PLACEHOLDER))
    if (!known.has(name)) throw refuse(`{{${name.slice(0, 64)}}} is no parameter of this tool${didYouMean(name, [...known])}`)
}

/** No shell: each word is handed over as it is. */
function compileCommand(command: string, args: readonly string[], refuse: Refuse): Compiled {
  if (command.search(PLACEHOLDER) >= 0) throw refuse('the name of a program was expected, without a placeholder', ['script', 'command'])
  const heads: Head[] = []
  const templates = args.map((arg, i): Template => {
    const template = arg.split(PLACEHOLDER)
    if (arg.includes('\0')) throw refuse('an argument without NUL was expected', ['script', 'args', i])
    if (template.length > 1 && runsText([command, ...args.slice(0, i)], template[0]))
      throw refuse('the value would be run as a program: give it to a script as an argument', ['script', 'args', i])
    if (!args.slice(0, i).includes('--')) heads.push(...headOf(template))
    return template
  })
  const script: Script = { form: 'command', command, args: templates }
  return { script, heads, variables: [] }
}

function headOf(template: Template): readonly Head[] {
  const literal = template.findIndex((part, i) => i % 2 === 0 && part !== '')
  const begins = template.slice(0, literal < 0 ? template.length : literal)
  const parameters = begins.filter((_, i) => i % 2 === 1)
  return parameters.length === 0 ? [] : [{ parameters, dash: template[literal]?.startsWith('-') === true }]
}

function toError(issue: z.core.$ZodIssue, source: Source): SwornError {
  const key = issue.code === 'unrecognized_keys' ? issue.keys[0]! : undefined
  if (key === undefined) return new SwornError('CONFIG_INVALID', toMessage(issue), source.place(issue.path))
  const known = didYouMean(key, KEYS[kindOf(issue.path)])
  return new SwornError('CONFIG_INVALID', `unknown member ${JSON.stringify(key.slice(0, 64))}${known}`, source.place([...issue.path, key]))
}

function kindOf(path: readonly PropertyKey[]): keyof typeof KEYS {
  if (path.includes('script')) return 'script'
  if (path.includes('parameters')) return 'parameter'
  return path.length === 0 ? 'top' : 'tool'
}

/** What was expected; zod's own texts could quote the value. */
function toMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `${issue.expected} was expected`
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')} was expected`
  if (issue.code === 'too_small') return `at least ${issue.minimum} was expected`
  if (issue.code === 'too_big') return `at most ${issue.maximum} was expected`
  if (issue.code === 'custom' || issue.code === 'invalid_format') return issue.message // the schema's own
  return 'another shape was expected'
}
