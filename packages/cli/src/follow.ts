/**
 * One owner of what reaches a running recorder from outside: SIGHUP, and saves of its configuration and policy.
 *
 * SIGHUP reopens the active file wherever it is held, then reloads. Nothing here keeps the process alive.
 * @module
 */
import { type Closable, type Port, type WatchOptions, watchFiles } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import type { Say } from './frame/say.ts'
import type { LiveConfig } from './live-config.ts'

/** Where SIGHUP arrives; `process` fits. */
export interface HangupSource {
  on(signal: 'SIGHUP', listener: () => void): unknown
  off(signal: 'SIGHUP', listener: () => void): unknown
}

export interface Surroundings {
  readonly signals: HangupSource
  readonly watch?: WatchOptions
  readonly say: Say
  /** True for a process that only relays and records: its ledger needs no thread. */
  readonly here?: boolean
}

/** Follows until it is closed. */
export function followChanges(live: LiveConfig, port: Pick<Port, 'reopen'>, { signals, watch, say }: Surroundings): Closable {
  let watched: readonly string[] = []
  let watcher: Closable | undefined
  let closed = false

  function rewatch(): void {
    const files = live.files
    if (closed || files.join('\0') === watched.join('\0')) return
    watcher?.close()
    watched = files
    const blind = (directory: string) => say('warn', `saves in ${directory} are not noticed; SIGHUP reloads`)
    watcher = watchFiles(files, () => void live.reload('change').then(rewatch), blind, watch)
  }

  async function hangUp(): Promise<void> {
    try {
      await port.reopen()
      say('info', 'reopened on SIGHUP')
    } catch (e) {
      say('error', `not reopened: ${SwornError.is(e) ? `${e.code} ${e.message}` : 'unknown'}`)
    }
    await live.reload('signal')
    rewatch()
  }

  const onHangup = () => void hangUp()
  signals.on('SIGHUP', onHangup)
  rewatch()
  return {
    close() {
      closed = true
      signals.off('SIGHUP', onHangup)
      watcher?.close()
    },
  }
}
