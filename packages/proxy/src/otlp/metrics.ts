/**
 * Metrics are no actions of an agent: their data points are counted, and the sender is told that none was recorded.
 *
 * Pure. Source: opentelemetry-proto 1.5, metrics.proto.
 * @module
 */
import type { Reading, Told } from './told.ts'
import { objectOf, objectsOf } from './values.ts'

const SHAPES = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const

/** @throws SwornError REQUEST_INVALID */
export function readMetric({ record }: Told): Reading {
  const many = SHAPES.reduce((sum, shape) => sum + objectsOf(objectOf(record[shape]).dataPoints).length, 0)
  return { left: 'metrics are not recorded, OTEL_METRICS_EXPORTER=none sends none', many }
}
