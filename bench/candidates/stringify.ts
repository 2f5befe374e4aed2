/** The floor under every recorder: the event as a string, and nothing else. @module */
import { type Candidate, noPressure } from './candidate.ts'

export async function openStringify(): Promise<Candidate> {
  let characters = 0
  return {
    record(event) {
      characters += JSON.stringify(event).length
    },
    ready: noPressure,
    async finish() {
      if (characters === 0) throw new Error('nothing was serialised')
    },
  }
}

/** The bench's own loop without any work: the bare process that memory is compared with. */
export async function openNothing(): Promise<Candidate> {
  return { record() {}, ready: noPressure, async finish() {} }
}
