/**
 * The numbers by name: what was counted, what the recorder of this process measures, how the ledger and its sinks stand.
 * Names and labels are a contract: docs/guides/metrics.md, the dashboard and the alert rules use them.
 * @module
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { RecorderStats } from '@sworn/recorder'
import type { LedgerFiles } from '@sworn/recorder/segments'
import { seenCheckpoint } from '../history.ts'
import type { SinkStatus } from '../status.ts'
import type { Counted } from './counts-file.ts'
import { counter, type Family, gauge, histogram, labelled } from './family.ts'

/** From the entries of the ledger. */
export function countedFamilies({ next, missed, counts }: Counted): readonly Family[] {
  const { events, decisions, violations, patterns, approvals, responses, dropped, anchors, actions } = counts
  return [
    counter('aip_authorization_decisions_total', 'Authorization decisions; ask: put to a person', labelled('decision', decisions)),
    counter('aip_dlp_matches_total', 'Sensitive data found', labelled('pattern', patterns)),
    counter('aip_human_approvals_total', 'Answers of people', labelled('approved', approvals)),
    histogram('aip_human_approval_response_time_seconds', 'From a question that was shown to its answer', responses),
    counter('aip_violations_total', 'Policy violations, let through or not', violations),
    ...(actions
      ? [
          counter('sworn_actions_total', 'Tool calls, each once, however many saw it', actions.seen),
          counter('sworn_actions_denied_total', 'Those that were refused, by one who saw it at least', actions.denied),
        ]
      : []),
    counter('sworn_events_total', 'Entries of the ledger', labelled('event_type', events)),
    counter('sworn_dropped_events_total', 'Events that were lost before they were recorded, as far as it is known', dropped),
    counter('sworn_uncounted_entries_total', 'Entries that were pruned before they were counted', missed),
    gauge(
      'sworn_anchored_entries',
      'Entries that the widest checkpoint covers which others cosigned',
      labelled(
        'target',
        Array.from(anchors, ([target, { size }]) => [target, size] as const),
      ),
    ),
    gauge(
      'sworn_anchored_timestamp_seconds',
      'When the ledger noted that cosignature',
      labelled(
        'target',
        Array.from(anchors, ([target, { notedMs }]) => [target, notedMs / 1000] as const),
      ),
    ),
    gauge('sworn_counted_entries', 'Entries of the ledger up to which this was counted', next),
  ]
}

/** Of this process, since it started. */
export function recorderFamilies(stats: RecorderStats): readonly Family[] {
  const outcomes = (['recorded', 'acknowledged', 'failed', 'refused', 'filtered', 'shed', 'waited'] as const).map(
    (name) => [name, stats[name]] as const,
  )
  return [
    counter('sworn_recorder_events_total', 'Events that this process recorded, and what became of them', labelled('outcome', outcomes)),
    counter('sworn_append_batches_total', 'Batches handed to the ledger', stats.batches),
    counter('sworn_append_bytes_total', 'Bytes handed to the ledger', stats.bytes),
    histogram('sworn_append_seconds', 'From handing a batch to the ledger to its answer', stats.ackMs),
    ...(stats.syncMs ? [histogram('sworn_fsync_seconds', 'How long the disk took to keep the ledger, each time', stats.syncMs)] : []),
    gauge('sworn_queue_events', 'Events that wait for their answer', stats.outstanding),
    gauge('sworn_queue_bytes', 'UTF-16 units of payload that wait for their answer', stats.outstandingBytes),
  ]
}

/** How much of the ledger is signed, and since when. */
export function ledgerFamilies(files: LedgerFiles, entries: number): readonly Family[] {
  const size = gauge('sworn_ledger_entries', 'Entries of the ledger, pruned ones among them', entries)
  const signed = seenCheckpoint(files)
  if (signed === undefined || files.directory === undefined) return [size]
  const writtenMs = statSync(join(files.directory, 'checkpoint'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  return [
    size,
    gauge('sworn_signed_entries', 'Entries that the newest checkpoint covers', signed.size),
    gauge('sworn_signed_timestamp_seconds', 'When the newest checkpoint was written', writtenMs / 1000),
  ]
}

/** How far delivery is, sink by sink. */
export function sinkFamilies(sinks: readonly SinkStatus[]): readonly Family[] {
  const of = (value: (sink: SinkStatus) => number) =>
    labelled(
      'sink',
      sinks.map((sink) => [sink.name, value(sink)] as const),
    )
  return [
    gauge(
      'sworn_sink_lag_entries',
      'Entries that wait for delivery',
      of(({ behind }) => behind),
    ),
    gauge(
      'sworn_sink_lag_seconds',
      'Age of the oldest entry that waits',
      of(({ behindSeconds }) => behindSeconds),
    ),
    gauge(
      'sworn_sink_parked_entries',
      'Entries that a sink refused for good',
      of(({ parked }) => parked),
    ),
    counter(
      'sworn_sink_lost_entries_total',
      'Entries that were gone before they were delivered',
      of(({ lost }) => lost),
    ),
    gauge(
      'sworn_sink_trouble',
      '1 while delivery to the sink does not go on',
      of(({ trouble }) => (trouble ? 1 : 0)),
    ),
  ]
}
