/**
 * Options of one program, read against its line in the table, as getopt would: clusters, `--name=value`,
 * shortened long names, `--`.
 *
 * What is not listed is reported as unknown; what may turn out to be an option when the command runs, as hidden.
 * @module
 */
import type { Arg } from './types.ts'

/** `-k: --key= --reverse -# *`: colon and equals sign take a value, `-#` is any number, `*` says others are harmless. */
export interface OptionTable {
  /** Option as written, dashes included → whether it takes a value. */
  readonly known: ReadonlyMap<string, boolean>
  readonly numbers: boolean
  readonly open: boolean
}

export interface UsedOption {
  /** As the table spells it. */
  readonly name: string
  readonly arg: Arg
  readonly value: Arg | undefined
}

export interface ReadOptions {
  readonly used: readonly UsedOption[]
  readonly operands: readonly Arg[]
  readonly unknown: readonly Arg[]
  readonly hidden: readonly Arg[]
}

const tables = new Map<string, OptionTable>()

/** @param text from the table, so bounded; kept, because the same few lines are read again and again */
export function optionTable(text: string): OptionTable {
  let table = tables.get(text)
  if (!table) tables.set(text, (table = parseTable(text)))
  return table
}

function parseTable(text: string): OptionTable {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const known = new Map<string, boolean>()
  for (const word of words) {
    const takesValue = /[:=]$/.test(word)
    const name = takesValue ? word.slice(0, -1) : word
    // `-abc` lists three letters; `-name` of programs with long single dashes is written `-name.`
    if (/^-[A-Za-z0-9@%]{2,}$/.test(name) && !takesValue) for (const letter of name.slice(1)) known.set(`-${letter}`, false)
    else known.set(name.replace(/\.$/, ''), takesValue)
  }
  return { known, numbers: known.has('-#'), open: words.includes('*') }
}

interface Reading extends ReadOptions {
  used: UsedOption[]
  operands: Arg[]
  unknown: Arg[]
  hidden: Arg[]
}

/** @param stop where operands begin: a wrapped program has options of its own */
export function readOptions(args: readonly Arg[], table: OptionTable, stop = false): ReadOptions {
  const reading: Reading = { used: [], operands: [], unknown: [], hidden: [] }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (!isOption(arg)) {
      if (arg.mayBeOption) reading.hidden.push(arg)
      reading.operands.push(...(stop ? args.slice(i) : [arg]))
      if (stop) break
    } else if (arg.value === '--') {
      reading.operands.push(...args.slice(i + 1))
      break
    } else if (readOption(arg, args[i + 1], table, reading) && (stop || !arg.value.startsWith('--'))) i++
  }
  return reading
}

export function isOption({ value }: Arg): boolean {
  return /^-./.test(value)
}

/**
 * True when the next word was its value. A word with a dash is never taken for one, and after a long option the next
 * word counts as an operand too: where the value is optional, taking it would hide an option or an operand.
 */
function readOption(arg: Arg, following: Arg | undefined, table: OptionTable, reading: Reading): boolean {
  const next = following && (isOption(following) || following.mayBeOption) ? undefined : following
  if (!arg.exact && !/^--?[A-Za-z][\w-]*=/.test(arg.value)) reading.hidden.push(arg)
  const equals = arg.value.indexOf('=')
  const name = findName(equals > 0 ? arg.value.slice(0, equals) : arg.value, table)
  if (name !== undefined) {
    const inline = equals > 0 ? { ...arg, value: arg.value.slice(equals + 1) } : undefined
    const separate = inline === undefined && table.known.get(name) === true
    reading.used.push({ name, arg, value: inline ?? (separate ? next : undefined) })
    return separate && next !== undefined
  }
  if (table.numbers && /^-\d+$/.test(arg.value)) return false
  if (arg.value.startsWith('--')) {
    if (!table.open) reading.unknown.push(arg)
    return false
  }
  return readCluster(arg, next, table, reading)
}

function findName(written: string, { known }: OptionTable): string | undefined {
  if (known.has(written)) return written
  if (!/^--.{2,}/.test(written)) return undefined
  return [...known.keys()].find((name) => name.startsWith(written))
}

function readCluster(arg: Arg, next: Arg | undefined, table: OptionTable, reading: Reading): boolean {
  const letters = arg.value.slice(1)
  for (let i = 0; i < letters.length; i++) {
    const name = `-${letters[i]}`
    const takesValue = table.known.get(name)
    if (takesValue === undefined) {
      if (!table.open) {
        reading.unknown.push(arg)
        return false
      }
    } else {
      const rest = letters.slice(i + 1)
      const inline = rest === '' ? undefined : { ...arg, value: rest }
      reading.used.push({ name, arg, value: takesValue ? (inline ?? next) : undefined })
      if (takesValue) return inline === undefined && next !== undefined
    }
  }
  return false
}
