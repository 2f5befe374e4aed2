/**
 * From argv to exit code: finds the command, parses, runs, and turns every failure into `error:` and `hint:`.
 *
 * Promise: never throws, never prints a stack trace. Nothing but the table is loaded until a command is named.
 * @module
 */
import type { Command, CommandEntry, ExitCode, Flags, Values } from './command.ts'
import { printFailure, printRefusal } from './failure.ts'
import { formatHelp, formatOverview } from './help.ts'
import { interruptedBy } from './interrupted.ts'
import type { Io, World } from './io.ts'
import { parseCommand } from './parse.ts'
import { createSay } from './say.ts'
import { FORMAT, VERSION } from './version.ts'

/** Runs one command line (`argv` without node and script). */
export async function runWith(table: readonly CommandEntry[], argv: readonly string[], io: World): Promise<ExitCode> {
  const [name, ...rest] = translate(argv)
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return await printHelp(table, rest[0], io)
  if (name === '--version' || name === '-V') {
    await io.out(`sworn ${VERSION}, format ${FORMAT}, node ${process.version}`)
    return 0
  }
  const entry = findEntry(table, name)
  if (!entry) return await refuseName(table, name, io)
  return await runEntry(entry, rest, io)
}

/** The AIP guide's spelling: `sworn --verify-audit-log F --signing-key K` is `sworn verify F --key K`. */
function translate(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((arg) => arg === '--verify-audit-log' || arg.startsWith('--verify-audit-log='))
  if (at < 0 || argv.slice(0, at).some((arg) => !arg.startsWith('-') && argv[argv.indexOf(arg) - 1] !== '--signing-key')) return argv
  const spelled = argv.map((arg) => arg.replace(/^--signing-key(?==|$)/, '--key'))
  const [flag = '', value] = spelled.slice(at, at + 2)
  const inline = flag.includes('=')
  const path = inline ? [flag.slice(flag.indexOf('=') + 1)] : value === undefined ? [] : [value]
  return ['verify', ...spelled.slice(0, at), ...path, ...spelled.slice(at + (inline ? 1 : 2))]
}

function findEntry(table: readonly CommandEntry[], name: string): CommandEntry | undefined {
  return table.find((entry) => entry.name === name || entry.aliases?.includes(name))
}

/** Of a terminal; elsewhere lines are as long as they are. */
const widthOf = ({ isTTY, columns }: World): number => (isTTY ? columns : Number.POSITIVE_INFINITY)

async function printHelp(table: readonly CommandEntry[], name: string | undefined, io: World): Promise<ExitCode> {
  if (name === undefined) {
    await io.out(formatOverview(table, widthOf(io)))
    return 0
  }
  const entry = findEntry(table, name)
  if (!entry) return await refuseName(table, name, io)
  await io.out(formatHelp(entry, await entry.load(), widthOf(io)))
  return 0
}

async function refuseName(table: readonly CommandEntry[], name: string, io: World): Promise<ExitCode> {
  const kind = name.startsWith('-') ? 'flag' : 'command'
  return await printRefusal({ refused: `unknown ${kind} ${JSON.stringify(name)}`, unknown: name, known: table.map((e) => e.name) }, '', io)
}

async function runEntry(entry: CommandEntry, argv: readonly string[], io: World): Promise<ExitCode> {
  try {
    const command: Command = await entry.load()
    const parsed = parseCommand(command, argv)
    if ('refused' in parsed) return await printRefusal(parsed, entry.name, io)
    if (parsed.flags.help === true) {
      await io.out(formatHelp(entry, command, widthOf(io)))
      return 0
    }
    const flags = parsed.flags as Values<Flags> // parsed by this command's own flags
    return await command.run(parsed.args, flags, withMessages(io, flags))
  } catch (e) {
    return interruptedBy(e) ?? (await printFailure(e, io, entry.name))
  }
}

/** Inherits instead of copying: `signal` takes over the process's signals when it is read. */
function withMessages(world: World, { quiet, verbose }: Values<Flags>): Io {
  const say = createSay((line) => world.err(line), { quiet, verbose, env: world.env })
  return Object.create(world, { say: { value: say } }) as Io // the world and `say`: an Io
}
