/** What the endpoints count, by AIP's names. Whoever serves metrics renders them. Source: AIP v1alpha2 §6.4.2. @module */

export interface Sample {
  readonly name: string
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Absent: a counter. */
  readonly type?: 'gauge' | 'histogram'
  /** Of a histogram's series. */
  readonly suffix?: '_bucket' | '_sum' | '_count'
}

/** Names and label values are fixed words, none of a request. */
const SERIES = {
  requests: ['aip_requests_total', 'Validation requests', undefined],
  allow: ['aip_decisions_total', 'Decisions by type', { decision: 'allow' }],
  block: ['aip_decisions_total', 'Decisions by type', { decision: 'block' }],
  ask: ['aip_decisions_total', 'Decisions by type', { decision: 'ask' }],
  violations: ['aip_violations_total', 'Policy violations', undefined],
  valid: ['aip_token_validations_total', 'Token validations', { result: 'valid' }],
  invalid: ['aip_token_validations_total', 'Token validations', { result: 'invalid' }],
  revokedSessions: ['aip_revocations_total', 'Revocations by type', { type: 'session' }],
  revokedTokens: ['aip_revocations_total', 'Revocations by type', { type: 'token' }],
} as const

export type Series = keyof typeof SERIES

export interface Counters {
  add(series: Series, amount?: number): void
  samples(): readonly Sample[]
}

export function createCounters(): Counters {
  const counts = new Map<Series, number>()
  return {
    add: (series, amount = 1) => void counts.set(series, (counts.get(series) ?? 0) + amount),
    samples: () =>
      Object.entries(SERIES).map(([series, [name, help, labels]]) => {
        return { name, help, labels: { ...labels }, value: counts.get(series as Series) ?? 0 } // the keys of SERIES
      }),
  }
}
