/**
 * Milliseconds as they are recorded: to the microsecond.
 *
 * A clock's difference has up to sixteen digits, most of them noise of its binary fraction. They fill lines, and look
 * to a scanner like a card's number.
 */
export const durationOf = (ms: number): number => Math.round(ms * 1000) / 1000
