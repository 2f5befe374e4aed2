/** What the reader of one program's own syntax is given. @module */
import type { Program } from '../table/program.ts'
import type { Arg, Judge, Scene } from '../types.ts'

export interface Call {
  readonly program: Program
  /** The program's name as it was written. */
  readonly word: Arg
  readonly args: readonly Arg[]
  readonly scene: Scene
}

export type Reader = (call: Call, judge: Judge) => void
