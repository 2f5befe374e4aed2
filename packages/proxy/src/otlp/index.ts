/** OTLP over HTTP: what OpenTelemetry exporters send, as events. @module */
export { createOtlpRoute, OTLP_LIMITS, OTLP_PATHS, type OtlpLimits, type OtlpPath, type OtlpRoute } from './route.ts'
