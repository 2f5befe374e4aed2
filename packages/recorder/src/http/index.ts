/** The recorder's routes, without a listener: events in, health out. @module */
export { type BodyFault, type BodyLimits, readBody, readBodyOf } from './body.ts'
export { bearerOf, type Certificate, certificateOf, createBearerCheck, isLoopback } from './callers.ts'
export { type Acknowledged, acknowledge, createEventsRoute, EVENT_LIMITS, type EventLimits, type EventsRoute } from './events.ts'
export { createHealth, type Health, type HealthDesk, type HealthOptions } from './health.ts'
export {
  type BodyRefusal,
  bodyRefusalResponse,
  CLOSE,
  type ErrorBody,
  errorBody,
  errorResponse,
  jsonResponse,
  toBodyRefusal,
} from './refusal.ts'
