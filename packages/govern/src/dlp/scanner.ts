/**
 * The one scanner: what redaction masks before anything is recorded, and what a policy's verdicts are about.
 *
 * The recorder's table, secretlint's rule families and ours under one literal prefilter. Secrets, card and social
 * security numbers are looked for always; other personal data only where a policy names it.
 * Source: spec policy §6.5, events §6.
 * @module
 */
import { hash } from 'node:crypto'
import { createScanner, type Detector, type ScannerSource, tableDetector, tablePatterns, toDetector } from '@sworn/recorder'
import { familyDetectors, familySignature } from './table/families.ts'
import { personalDetectors } from './table/personal.ts'
import { PRESET_VERSION } from './table/secretlint.ts'
import { SECRETS } from './table/secrets.ts'

const PERSONAL: ReadonlySet<string> = new Set(personalDetectors.map(({ name }) => name))
const fromTable = tablePatterns.filter(({ name }) => !PERSONAL.has(name))
const extra: readonly Detector[] = [...SECRETS.map(toDetector), ...familyDetectors]
const secrets: readonly Detector[] = [...fromTable.map(({ name }) => tableDetector(name)), ...extra]

/** Names a policy may ask for, by group. */
export const DLP_GROUPS: Readonly<Record<'secrets' | 'personal', readonly string[]>> = {
  secrets: [...new Set(secrets.map(({ name }) => name))],
  personal: [...PERSONAL],
}

/** Every detector of a name; some names have two. Empty for a name that there is not. */
export function detectorsOf(name: string): readonly Detector[] {
  return [...secrets, ...personalDetectors].filter((detector) => detector.name === name)
}

/** For `createRecorder({ redact: { scanner } })`; `log.start` names it. */
export const dlpScanner: ScannerSource = {
  name: 'sworn-dlp',
  version: `2+secretlint.${PRESET_VERSION}`,
  hash: hashOfPatterns(),
  create: (keys) => createScanner(keys, { detectors: extra }),
}

function hashOfPatterns(): string {
  const own = [...tablePatterns, ...SECRETS].map(({ name, expression }) => [name, expression.source, expression.flags])
  const names = personalDetectors.map(({ name }) => name)
  return `sha256:${hash('sha256', JSON.stringify([own, names, familySignature, PRESET_VERSION]), 'hex')}`
}
