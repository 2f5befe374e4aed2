/** One candidate under bursts, in a process of its own. @module */
import { type BurstTask, runBurst } from '../harness/burst-loop.ts'
import { answer, childTask } from '../harness/child.ts'

answer(await runBurst(childTask<BurstTask>()))
