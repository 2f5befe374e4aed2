/**
 * What `audit.fallback` says: events that nobody takes are refused, or wait in a file of this process (`spool`).
 *
 * A process that spools also hands over what others left behind for the same ledger.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  findKnownLedger,
  handOverLeftovers,
  type LoadedConfig,
  openSoonerOrLater,
  ownSpoolPath,
  type Port,
  type RecordingPort,
  type SoonerOrLater,
  type SpoolLoss,
  spoolDirectory,
  withSpool,
} from '@sworn/recorder'
import type { Say } from './frame/say.ts'

/** How long the end of a short command may wait for what others left. */
const CLOSE_MS = 1000
/** How long an event waits for an answer before it is spooled, whatever its level. */
export const SPOOL_PATIENCE = { lazyAckMs: 2000 }

/** What a spool is opened with. */
export interface SpoolParts {
  readonly producerId: string
  /** Another port to the same ledger, under the name of a producer. */
  readonly open: (producerId: string) => Promise<Port>
  readonly say: Say
  /** Takes the event that tells of a loss. */
  readonly record: (event: { readonly event_type: string; readonly metadata: object }) => Promise<unknown>
}

/** As `open`; where that fails and waiting may help, a port that is opened later. Only for one with a spool before it. */
export function openPatiently(open: () => Promise<Port>, { values, directories }: LoadedConfig, say?: Say): Promise<SoonerOrLater> {
  const known = () => findKnownLedger(values.log_path, directories.state)
  return openSoonerOrLater(open, { known, ...(say && { say: (line) => say('warn', line) }) })
}

/** The port, or the same with a spool behind it; closed with it. */
export function withConfiguredSpool(port: Port, { values, directories }: LoadedConfig, parts: SpoolParts): RecordingPort {
  if (values.fallback !== 'spool') return port
  const { producerId, open, record } = parts
  const say = (line: string) => parts.say('warn', line)
  const lost = ({ dropped, reason }: SpoolLoss) =>
    void record({ event_type: 'observation_gap', metadata: { dropped, reason } }).catch(() => say(`${dropped} events are lost (${reason})`))
  const directory = spoolDirectory(directories.state, values.log_path)
  const spooling = withSpool(port, { path: ownSpoolPath(directory), producerId, lost, say })
  const ending = new AbortController()
  const left = handOverLeftovers(directory, { open, lost, say, signal: ending.signal })
  return {
    ...spooling,
    async close() {
      await Promise.race([left, sleep(CLOSE_MS, undefined, { ref: false })])
      ending.abort()
      await left
      await spooling.close()
    },
  }
}
