/** The shape of `spec.server`, as far as it is acted on. Source: spec policy §6.1; AIP v1alpha2 §3.8. @module */
import { z } from 'zod'
import { duration, endpointPath } from '../identity/schema.ts'

const endpoints = z.strictObject({
  validate: endpointPath.default('/v1/validate'),
  revoke: endpointPath.default('/v1/revoke'),
  jwks: endpointPath.optional(),
  health: endpointPath.default('/health'),
  metrics: endpointPath.default('/metrics'),
})

const constraints = z.strictObject({
  allowed_tools: z.array(z.string().min(1).max(256)).max(10_000).optional(),
  max_duration: duration.optional(),
  max_requests: z.int().positive().max(1_000_000).optional(),
  alert_webhook: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
  require_local_policy: z.boolean().default(false),
})

export const serverSchema = z.strictObject({
  enabled: z.boolean().default(false),
  listen: z
    .string()
    .regex(/^[^\s/@]{0,255}:\d{1,5}$/)
    .default('127.0.0.1:9443')
    .describe('host:port'),
  failover_mode: z.enum(['fail_closed', 'fail_open', 'local_policy']).default('fail_closed'),
  timeout: duration.default('5s'),
  tls: z.strictObject({ cert: z.string().min(1).max(4096), key: z.string().min(1).max(4096) }).optional(),
  endpoints: endpoints.prefault({}),
  fail_open_constraints: constraints.optional(),
})

export type ServerDocument = z.infer<typeof serverSchema>

export const SERVER_KEYS: Readonly<Record<string, readonly string[]>> = {
  'spec.server': Object.keys(serverSchema.shape),
  'spec.server.endpoints': Object.keys(endpoints.shape),
  'spec.server.fail_open_constraints': Object.keys(constraints.shape),
}
