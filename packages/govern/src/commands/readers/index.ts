/** Programs with a syntax of their own. @module */
import type { ReaderName } from '../table/program.ts'
import { readDd, readTar } from './archives.ts'
import { readAwk } from './awk.ts'
import { readAssignments, readNames, readSet, readTest } from './builtins.ts'
import { readFind } from './find.ts'
import { readEval, readInterpreter, readShell, readSource } from './interpreters.ts'
import { readParallel, readXargs } from './multipliers.ts'
import { readSed } from './sed.ts'
import type { Reader } from './types.ts'

export const READERS: Readonly<Record<ReaderName, Reader>> = {
  assignments: readAssignments,
  awk: readAwk,
  dd: readDd,
  eval: readEval,
  find: readFind,
  interpreter: readInterpreter,
  parallel: readParallel,
  read: readNames,
  sed: readSed,
  set: readSet,
  shell: readShell,
  source: readSource,
  tar: readTar,
  test: readTest,
  xargs: readXargs,
}
