/**
 * The thread of the alerter steps back behind who records, where both want the same core, and only then loads its rules.
 * @module
 */
import { stat } from 'node:fs/promises'
import { setPriority } from 'node:os'

const NICE = 10

await stat('.') // begins the threads for files, which the whole process shares, before this one steps back
if (process.platform === 'linux') setPriority(NICE) // there it is this thread alone, and what it starts
await import('./thread.ts')
