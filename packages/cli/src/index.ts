/** The library face of sworn: record what an agent does. Loads nothing of the command line. @module */

export type { Recorder } from '@sworn/recorder'
export { SwornError } from '@sworn/verify'
export { openRecorder } from './library.ts'
export type { OpenOptions } from './open-recorder.ts'
