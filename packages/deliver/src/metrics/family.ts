/**
 * Numbers under one name, and their text as Prometheus reads it. The text is made by the official client.
 * Source: Prometheus text exposition format 0.0.4.
 * @module
 */
import { type Metric, Registry } from '@prometheus-io/client'

/** One number, and what tells it from its neighbours. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Of a histogram. */
  readonly suffix?: '_bucket' | '_sum' | '_count'
}

export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly series: readonly Series[]
}

/** How often something took how long. */
export interface Times {
  /** Upper bounds in milliseconds, ascending. */
  readonly boundsMs: readonly number[]
  /** One more than bounds: the last is everything above. */
  readonly counts: readonly number[]
  readonly sumMs: number
}

/** A number that somebody else counted. */
export interface Sample {
  readonly name: string
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function counter(name: string, help: string, series: readonly Series[] | number): Family {
  return { name, help, type: 'counter', series: toSeries(series) }
}

export function gauge(name: string, help: string, series: readonly Series[] | number): Family {
  return { name, help, type: 'gauge', series: toSeries(series) }
}

function toSeries(series: readonly Series[] | number): readonly Series[] {
  return typeof series === 'number' ? [{ labels: {}, value: series }] : series
}

/** One series for each value of one label. */
export function labelled(label: string, values: Iterable<readonly [string, number]>): readonly Series[] {
  return Array.from(values, ([name, value]) => ({ labels: { [label]: name }, value }))
}

/** In seconds, as Prometheus wants times; buckets hold what the ones before them hold. */
export function histogram(name: string, help: string, { boundsMs, counts, sumMs }: Times): Family {
  let count = 0
  const buckets = counts.map((amount, n): Series => {
    count += amount
    return { labels: { le: n < boundsMs.length ? String(boundsMs[n]! / 1000) : '+Inf' }, value: count, suffix: '_bucket' }
  })
  const rest: Series[] = [
    { labels: {}, value: sumMs / 1000, suffix: '_sum' },
    { labels: {}, value: count, suffix: '_count' },
  ]
  return { name, help, type: 'histogram', series: [...buckets, ...rest] }
}

/** Counters, one family for each name. */
export function toFamilies(samples: readonly Sample[]): readonly Family[] {
  const named = Map.groupBy(samples, ({ name }) => name)
  return Array.from(named, ([name, group]) => counter(name, group[0]!.help, group)) // a group has one at least
}

/** The text; of two families with one name the first. */
export function renderFamilies(families: readonly Family[]): Promise<string> {
  const registry = new Registry()
  for (const family of families) if (registry.getSingleMetric(family.name) === undefined) registry.registerMetric(toMetric(family))
  return registry.metrics()
}

/** What was counted elsewhere cannot be put into the client's own counters; all that a registry asks for is here. */
function toMetric({ name, help, type, series }: Family): Metric<string> {
  const values = series.map(({ labels, value, suffix = '' }) => ({ labels, value, metricName: `${name}${suffix}` }))
  return { name, get: async () => ({ name, help, type, values }) } as unknown as Metric<string> // see above
}
