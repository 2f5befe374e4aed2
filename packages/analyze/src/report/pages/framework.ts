/**
 * A framework, control by control: what is required, which entries are evidence for it, what is missing.
 * @module
 */
import { type Block, type Cell, data, facts, formatNumber, type Section, text, warning } from '../document.ts'
import type { ControlEvidence, FoundEvidence, FrameworkEvidence, Sample } from '../evidence.ts'

/** Where in time the entries lie: the filters that find them again. */
export interface Bounds {
  readonly since: string | null
  readonly until: string | null
}

export function frameworkSections(framework: FrameworkEvidence, bounds: Bounds): Section[] {
  const { title, edition, sources, controls } = framework
  const overview: Block = {
    kind: 'table',
    caption: 'Controls',
    columns: [{ title: 'control' }, { title: 'title' }, { title: 'evidence for' }, { title: 'missing', as: 'number' }],
    rows: controls.map((control) => [control.id, control.title, standing(control), control.missing.length]),
    empty: '',
  }
  return [
    {
      title: `Controls: ${title}`,
      level: 2,
      blocks: [
        text('This shows which entries are evidence for which control. It says nothing about compliance: that is for people to judge.'),
        text(edition),
        text(`Sources: ${sources.join('; ')}`),
        overview,
      ],
    },
    ...controls.map((control): Section => ({ title: `${control.id} ${control.title}`, level: 3, blocks: controlBlocks(control, bounds) })),
    { title: 'Samples and proofs', level: 2, blocks: samplingBlocks(framework) },
  ]
}

function standing({ evidence }: ControlEvidence): string {
  const found = evidence.filter(({ count }) => count > 0).length
  return evidence.length === 0 ? 'claims only' : `${found} of ${evidence.length} kinds`
}

function controlBlocks(control: ControlEvidence, bounds: Bounds): Block[] {
  const against = control.against.filter(({ count }) => count > 0)
  return [
    text('Requires: ', control.requires),
    text('Source: ', control.source),
    ...(control.evidence.length > 0 ? [evidenceTable('Evidence for it', control.evidence)] : []),
    ...(against.length > 0 ? [evidenceTable('Entries against it', against)] : []),
    ...(control.missing.length > 0
      ? [warning('Missing: ', ...control.missing.flatMap((one, i) => [i === 0 ? '' : '; ', data(one)]), '.')]
      : []),
    text('Not shown by any ledger: ', control.beyond),
    ...(control.evidence.length > 0
      ? [{ kind: 'commands' as const, lines: [...control.evidence, ...against].map((one) => commandOf(one, bounds)) }]
      : []),
  ]
}

function evidenceTable(caption: string, found: readonly FoundEvidence[]): Block {
  return {
    kind: 'table',
    caption,
    columns: [{ title: 'entries that show' }, { title: 'count', as: 'number' }, { title: 'seq' }, { title: 'sampled' }],
    rows: found.map(({ shows, count, first_seq: first, last_seq: last, samples }): Cell[] => [
      shows,
      count,
      first === null ? '–' : first === last ? `${first}` : `${first} to ${last}`,
      samples.length === 0 ? '–' : samples.map(({ seq, proof }) => `${seq}${proof ? '' : ' (no proof)'}`).join(', '),
    ]),
    empty: '',
  }
}

/** Finds the entries again. */
export function commandOf({ types, where }: Pick<FoundEvidence, 'types' | 'where'>, { since, until }: Bounds): string {
  const times = [since && `--since ${since}`, until && `--until ${until}`].filter(Boolean)
  return ['sworn query', `--type ${types.join(',')}`, ...(where === undefined ? [] : [`--where '${where}'`]), ...times].join(' ')
}

function samplingBlocks({ controls, sampling }: FrameworkEvidence): Block[] {
  const { seed, below, per_evidence: most, checkpoint } = sampling
  if (seed === null) return [warning('Nothing was sampled: the ledger was not checked, or its root is not known.')]
  const samples = new Map<number, Sample>()
  for (const control of controls)
    for (const one of [...control.evidence, ...control.against]) for (const sample of one.samples) samples.set(sample.seq, sample)
  return [
    text(
      `At most ${most} entries for each kind of evidence: those below seq ${formatNumber(below)} with the smallest SHA-256(root | seq as 8 bytes, big-endian). `,
      'The root fixes them, so nobody chooses them and anybody can draw them again.',
    ),
    facts(['root', { data: seed }]),
    ...(checkpoint === null
      ? [warning('No proofs: there is no checkpoint that a known key signed.')]
      : [
          text('The signed checkpoint to whose root the proofs lead (RFC 9162 §2.1.3.2):'),
          { kind: 'commands' as const, lines: checkpoint.split('\n') },
        ]),
    {
      kind: 'table',
      caption: 'Sampled entries; a proof is the siblings from the leaf to the root, in base64',
      columns: [{ title: 'seq', as: 'number' }, { title: 'time' }, { title: 'type' }, { title: 'entry_hash' }, { title: 'proof' }],
      rows: [...samples.values()]
        .sort((a, b) => a.seq - b.seq)
        .map(({ seq, timestamp, event_type: type, entry_hash: hash, proof }) => [
          `${seq}`,
          data(timestamp),
          data(type),
          data(hash),
          proof === null ? 'none' : data(proof.join(' ')),
        ]),
      empty: 'none.',
    },
  ]
}
