/** Numbers about a ledger, as Prometheus reads them. @module */
export { type Family, gauge, labelled, type Sample } from './family.ts'
export { type Metrics, type MetricsOptions, openMetrics } from './metrics.ts'
export { createMetricsRoute } from './route.ts'
export { type Verified, writeVerified } from './verified-file.ts'
export { startVerifying, toVerified, type Verifying } from './verifying.ts'
