/**
 * Colour that is never the only carrier of meaning, and only where a terminal shows it.
 * @module
 */
import type { Io } from '../frame/io.ts'

export interface Paint {
  red(text: string): string
  yellow(text: string): string
  green(text: string): string
  dim(text: string): string
  bold(text: string): string
}

/** Paints on a terminal; plain under NO_COLOR (set and not empty), TERM=dumb, and in a pipe. */
export function createPaint(io: Pick<Io, 'isTTY' | 'env'>): Paint {
  const on = io.isTTY && !io.env.NO_COLOR && io.env.TERM !== 'dumb'
  const sgr = (code: number) => (text: string) => (on ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { red: sgr(31), yellow: sgr(33), green: sgr(32), dim: sgr(2), bold: sgr(1) }
}
