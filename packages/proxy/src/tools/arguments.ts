/**
 * What a model gives a tool → the texts that its script gets, or what is wrong with it. Hostile input.
 *
 * Faults are told to the model, which may try again; they name parameters and what was expected, never values.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Argument, Head, Parameter, Tool } from './types.ts'

/** Linux takes 128 KiB in one word. */
const MAX_VALUE_BYTES = 100_000
const MAX_VALUES_BYTES = 1 << 20

export type Checked = { readonly values: ReadonlyMap<string, string> } | { readonly fault: string }

/** The text of every parameter, those that are not given included. Total. */
export function checkArguments({ parameters, heads }: Pick<Tool, 'parameters' | 'heads'>, given: unknown = {}): Checked {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { fault: 'an object of arguments was expected' }
  const input = given as Readonly<Record<string, unknown>> // an object, checked above
  if (Object.keys(input).some((name) => !parameters.some((parameter) => parameter.name === name)))
    return { fault: `only these arguments were expected: ${parameters.map(({ name }) => name).join(', ') || 'none'}` }
  const values = new Map<string, string>()
  let bytes = 0
  for (const parameter of parameters) {
    const { name, required, fallback } = parameter
    const value = Object.hasOwn(input, name) ? input[name] : fallback
    if (value === undefined && required) return { fault: `${name} is required` }
    const fault = value === undefined ? undefined : faultOf(parameter, value)
    if (fault !== undefined) return { fault: `${name}: ${fault}` }
    const text = value === undefined ? '' : String(value)
    bytes += Buffer.byteLength(text)
    values.set(name, text)
  }
  if (bytes > MAX_VALUES_BYTES) return { fault: `at most ${MAX_VALUES_BYTES} bytes of arguments were expected` }
  const dashing = new Set(parameters.flatMap(({ name, leadingDash }) => (leadingDash ? [name] : [])))
  const fault = heads.map((head) => dashFault(head, values, dashing)).find((one) => one !== undefined)
  return fault === undefined ? { values } : { fault }
}

/** What is wrong with a value of this parameter; undefined: nothing. */
export function faultOf({ type, values }: Parameter, value: unknown): string | undefined {
  if (!isOf(type, value)) return `${type} was expected`
  if (values && !values.some((one) => isDeepStrictEqual(one, value))) return `one of ${values.map(String).join(', ')} was expected`
  if (typeof value !== 'string') return undefined
  if (value.includes('\0') || !value.isWellFormed()) return 'text without NUL and lone surrogates was expected'
  return Buffer.byteLength(value) > MAX_VALUE_BYTES ? `at most ${MAX_VALUE_BYTES} bytes were expected` : undefined
}

function isOf(type: Parameter['type'], value: unknown): value is Argument {
  if (type === 'integer') return Number.isSafeInteger(value)
  if (type === 'number') return Number.isFinite(value)
  return typeof value === type
}

/** A program would read the word as an option. @param dashing parameters that may begin with a dash */
function dashFault({ parameters, dash }: Head, values: ReadonlyMap<string, string>, dashing: ReadonlySet<string>): string | undefined {
  const first = parameters.find((name) => values.get(name) !== '')
  if (first !== undefined)
    return values.get(first)?.startsWith('-') && !dashing.has(first)
      ? `${first}: a value that does not begin with - was expected`
      : undefined
  const [empty] = parameters
  return dash && empty !== undefined && !dashing.has(empty) ? `${empty}: a value that is not empty was expected` : undefined
}
