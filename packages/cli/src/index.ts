/** The library face of sworn: record what an agent does. Loads nothing of the command line. @module */

export type { Recorder } from '@sworn/recorder'
export { SwornError } from '@sworn/verify'
export type { OpenOptions } from './open-recorder.ts'
export { openRecorder } from './open-recorder.ts'
