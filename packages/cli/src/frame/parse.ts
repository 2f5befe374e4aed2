/**
 * Arguments to typed flags, by node:util's tokenizer.
 *
 * Refuses unknown flags, missing values, values of switches, repeated flags, values outside the choices
 * and surplus arguments. Nothing is guessed; a refusal is a value, because every caller must print it.
 * @module
 */
import { parseArgs } from 'node:util'
import { COMMON_FLAGS, type Command, type Flag, type Flags } from './command.ts'

export type FlagValue = boolean | string | readonly string[] | undefined

export interface Parsed {
  readonly args: readonly string[]
  readonly flags: Readonly<Record<string, FlagValue>>
}

/** Why the arguments cannot be used. `unknown` and `known` allow a suggestion. */
export interface Refusal {
  readonly refused: string
  readonly unknown?: string
  readonly known?: readonly string[]
}

type OptionToken = { readonly name: string; readonly rawName: string; readonly value?: string | undefined }

/**
 * Parses what follows the command's name. Everything after `--` is an argument.
 * @param argv hostile input
 */
export function parseCommand(command: Command, argv: readonly string[]): Parsed | Refusal {
  const flags: Flags = { ...command.flags, ...COMMON_FLAGS }
  const { tokens } = parseArgs({ args: [...argv], options: toOptions(flags), strict: false, allowPositionals: true, tokens: true })
  const args: string[] = []
  const values = emptyValues(flags)
  const seen = new Set<string>()
  for (const token of tokens) {
    if (token.kind === 'positional') args.push(token.value)
    if (token.kind !== 'option') continue
    const refused = checkToken(token, flags, seen)
    if (refused) return refused
    store(values, token, flags[token.name]!)
    seen.add(token.name)
  }
  const most = command.maxArgs ?? 0
  if (args.length > most && values.help !== true)
    return { refused: `at most ${most} argument${most === 1 ? ' was' : 's were'} expected, found ${args.length}` }
  return { args, flags: values }
}

function toOptions(flags: Flags): Record<string, { type: 'boolean' | 'string'; short?: string; multiple?: boolean }> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, f]) => [name, { type: f.type, ...(f.short ? { short: f.short } : {}), multiple: true }]),
  )
}

function emptyValues(flags: Flags): Record<string, FlagValue> {
  const start = (flag: Flag): FlagValue => (flag.type === 'boolean' ? false : flag.multiple ? [] : undefined)
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, start(flag)]))
}

function checkToken(token: OptionToken, flags: Flags, seen: ReadonlySet<string>): Refusal | undefined {
  const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined
  if (!flag) return { refused: `unknown flag ${token.rawName}`, unknown: token.rawName, known: Object.keys(flags).map((f) => `--${f}`) }
  if (flag.type === 'boolean' && token.value !== undefined) return { refused: `${token.rawName} is a switch and takes no value` }
  if (flag.type === 'string' && (token.value === undefined || token.value === '')) {
    return { refused: `${token.rawName} needs a value: ${token.rawName} ${flag.value ?? 'VALUE'}` }
  }
  if (seen.has(token.name) && !flag.multiple && flag.type === 'string') return { refused: `${token.rawName} was given twice` }
  const { choices } = flag
  const wrong = choices && pieces(token, flag).find((piece) => !choices.includes(piece))
  if (wrong === undefined) return undefined
  return { refused: `${token.rawName} takes one of ${choices!.join(', ')}`, unknown: wrong, known: choices! }
}

function pieces(token: OptionToken, flag: Flag): string[] {
  return flag.multiple ? (token.value ?? '').split(',').filter((piece) => piece !== '') : [token.value ?? '']
}

/** `-` is stdout, where output goes anyhow. */
function isStdout({ name, value }: OptionToken): boolean {
  return name === 'output' && value === '-'
}

function store(values: Record<string, FlagValue>, token: OptionToken, flag: Flag): void {
  if (isStdout(token)) return
  if (flag.type === 'boolean') values[token.name] = true
  else if (flag.multiple)
    values[token.name] = [...(values[token.name] as readonly string[]), ...pieces(token, flag)] // emptyValues made it a list
  else values[token.name] = token.value
}
