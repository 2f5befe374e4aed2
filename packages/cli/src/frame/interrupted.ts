/**
 * The end of a command that a signal ended, as shells count: 128 and the signal's number.
 * @module
 */

const INTERRUPTED = 130
const TERMINATED = 143
/** By the reason that a command's signal is aborted with. */
const EXITS: ReadonlyMap<unknown, number> = new Map([
  ['SIGINT', INTERRUPTED],
  ['SIGTERM', TERMINATED],
])

/** For a command that ends by itself when its signal is aborted; any reason but SIGTERM is an interrupt. */
export function exitOfSignal({ reason }: AbortSignal): number {
  return interruptedBy(reason) ?? INTERRUPTED
}

/** The exit code of what was thrown because of a signal; undefined for everything else. */
export function interruptedBy(thrown: unknown): number | undefined {
  return EXITS.get(thrown)
}
